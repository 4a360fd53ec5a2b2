/** Rules about the server itself. */

import { counted, formatDuration } from '../../../lib/text/format.js';
import type { BuildInfo } from '../../prometheus/api.js';
import { always, checkOf } from '../check-definition.js';
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

/** Scrapes take some seconds anyway. */
const TOLERATED_SKEW_SECONDS = 5;

/** From half a rate window of a minute on, the newest minute is without CPU. */
const GRAVE_SKEW_SECONDS = 30;

/** `-search.latencyOffset` is 30 s unless set; its answers bear the earlier time. */
const LARGEST_LATENCY_OFFSET_SECONDS = 60;

/** Our clock against that of the server. */
export const clock = checkOf(
  'clock',
  (facts) => facts.clock,
  ({ skewSeconds, uncertaintySeconds }, { server }) => {
    const certain = Math.max(0, Math.abs(skewSeconds) - uncertaintySeconds);
    if (certain <= TOLERATED_SKEW_SECONDS) {
      const within = formatDuration(Math.max(1, Math.ceil(certain)));
      return { severity: 'ok', summary: `Our clock and that of Prometheus agree within ${within}.` };
    }
    const off = formatDuration(Math.abs(skewSeconds));
    const isAhead = skewSeconds > 0;
    if (!isAhead && skewSeconds >= -LARGEST_LATENCY_OFFSET_SECONDS && isVictoriaMetrics(server)) {
      const summary = `VictoriaMetrics answers with data from ${off} ago (-search.latencyOffset), so its clock cannot be compared.`;
      return { severity: 'ok', summary };
    }
    return {
      severity: certain > GRAVE_SKEW_SECONDS ? 'error' : 'warning',
      summary: `The clock of Prometheus is ${off} ${isAhead ? 'ahead of' : 'behind'} ours.`,
      meaning: isAhead
        ? 'Pods are scored by values of that age.'
        : 'The exporter queries minutes that Prometheus does not have yet: pods are not scored, or their values do not change.',
      advice: 'Synchronise the clocks of both machines (NTP).',
    };
  },
);

/** How many of the server's warnings are shown, and how many characters of each. */
const SHOWN_WARNINGS = 3;
const SHOWN_CHARACTERS = 300;

/** Warnings in the answers of the server: parts of the data may be missing. */
export const prometheusWarnings = checkOf('prometheus_warnings', always, (_, { warnings, infos }) => {
  const gave = (remarks: readonly string[], kind: string) => {
    const shown = remarks.slice(0, SHOWN_WARNINGS).map((remark) => `"${remark.slice(0, SHOWN_CHARACTERS)}"`);
    return `Prometheus gave ${counted(remarks.length, kind)}: ${shown.join(' ')}`;
  };
  if (warnings.length === 0) {
    const summary = infos.length === 0 ? 'Prometheus answered without warnings.' : gave(infos, 'hint');
    return { severity: 'ok', summary };
  }
  return {
    severity: 'warning',
    summary: gave(warnings, 'warning'),
    meaning: 'Answers may be incomplete: a store behind the server may be down. Pods that are missing are not scored.',
    advice: 'Fix what the warning names. Scores are computed from the data that arrives.',
  };
});
