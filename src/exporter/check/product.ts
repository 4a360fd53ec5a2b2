/** Which program answers, as far as its build information tells. */

import type { BuildInfo } from '../prometheus/api.js';

/** VictoriaMetrics pretends to be this version, so that Grafana asks it the modern way, and names nothing else. */
const VICTORIA_METRICS_ALIAS = '2.24.0';

export function isVictoriaMetrics(info: BuildInfo | undefined): boolean {
  if (info === undefined || info.application !== undefined || info.revision !== undefined) return false;
  return info.version === VICTORIA_METRICS_ALIAS || info.version === undefined;
}

/** The program with its version: `Prometheus 2.42.0`; `undefined` if it is unknown. */
export function productOf(info: BuildInfo | undefined): string | undefined {
  if (info === undefined) return undefined;
  if (isVictoriaMetrics(info)) return 'VictoriaMetrics';
  const { application, version } = info;
  if (version === undefined) return application;
  // Thanos has not come to 1.0, and Prometheus before it had no build information.
  return `${application ?? (/^v?0\./.test(version) ? 'Thanos' : 'Prometheus')} ${version}`;
}
