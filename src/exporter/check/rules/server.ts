import type { BuildInfo } from '../../prometheus/api.js';
import { checkOf } from '../check-definition.js';
import type { Fact } from '../facts.js';

/** Which program answers. It may be unknown: many proxies forward queries only. */
export const server = checkOf(
  'server',
  (facts) => facts.server,
  (info) => {
    const product = productOf(info);
    const summary =
      product === undefined
        ? 'The server does not report its name and version, but it answers queries.'
        : `The server is ${product}.`;
    return { severity: 'ok', summary };
  },
);

/** VictoriaMetrics pretends to be this version, so that Grafana asks it the modern way, and names nothing else. */
const VICTORIA_METRICS_ALIAS = '2.24.0';

/** Whether it is VictoriaMetrics that answers. */
export function isVictoriaMetrics(fact: Fact<BuildInfo | undefined>): boolean {
  const info = fact.known ? fact.value : undefined;
  if (info === undefined || info.application !== undefined || info.revision !== undefined) return false;
  return info.version === VICTORIA_METRICS_ALIAS || info.version === undefined;
}

/** The program with its version: `Prometheus 2.42.0`; `undefined` if it is unknown. */
function productOf(info: BuildInfo | undefined): string | undefined {
  if (isVictoriaMetrics({ known: true, value: info })) return 'VictoriaMetrics';
  if (info?.version === undefined) return info?.application;
  // Thanos has not come to 1.0, and Prometheus before it had no build information.
  const name = info.application ?? (/^v?0\./.test(info.version) ? 'Thanos' : 'Prometheus');
  return `${name} ${info.version}`;
}
