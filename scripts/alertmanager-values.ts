/** The Alertmanager configuration of `deploy/alertmanager` as values for kube-prometheus-stack. */

import { parse, stringify } from 'yaml';

/** The source of routes and inhibition. Tests and scripts run in the root of the repository. */
export const ALERTMANAGER_FILE = 'deploy/alertmanager/alertmanager.yaml';

/** The generated file. */
export const ALERTMANAGER_VALUES_FILE = 'deploy/alertmanager/kube-prometheus-stack-values.yaml';

/** The parts of a configuration that are put together. */
export interface AlertmanagerConfiguration {
  readonly route: { readonly routes: readonly Readonly<Record<string, unknown>>[] } & Readonly<Record<string, unknown>>;
  readonly inhibit_rules: readonly Readonly<Record<string, unknown>>[];
  readonly receivers: readonly Readonly<Record<string, unknown>>[];
}

/** Receives nothing. */
const NOBODY = 'null';

/** All alerts of the shipped rules. */
const OURS = 'Anomaly.+|PodAnomalous|WorkloadAnomalous|NodeAnomalous|NamespaceAnomalous|PodMemoryFull';

/**
 * What the chart has by default, which a list of one's own replaces. Its alert InfoInhibitor fires where a namespace has alerts of
 * `severity: info` alone, and mutes them: alerts of that severity that are not sent are of no use, so ours are exempt.
 */
const CHART_ROUTES = [{ receiver: NOBODY, matchers: ['alertname =~ "Watchdog|InfoInhibitor"'] }];
const CHART_INHIBIT_RULES = [
  {
    source_matchers: ['severity = "critical"'],
    target_matchers: ['severity =~ "warning|info"'],
    equal: ['namespace', 'alertname'],
  },
  {
    source_matchers: ['severity = "warning"'],
    target_matchers: ['severity = "info"'],
    equal: ['namespace', 'alertname'],
  },
  {
    source_matchers: ['alertname = "InfoInhibitor"'],
    target_matchers: ['severity = "info"', `alertname !~ "${OURS}"`],
    equal: ['namespace'],
  },
];

/** The text of the values. @param text the configuration. */
export function alertmanagerValues(text: string): string {
  const { route, inhibit_rules, receivers } = parse(text) as AlertmanagerConfiguration;
  const config = {
    route: { ...route, routes: [...CHART_ROUTES, ...route.routes] },
    inhibit_rules: [...CHART_INHIBIT_RULES, ...inhibit_rules],
    receivers: [{ name: NOBODY }, ...receivers],
  };
  const comment = `# Values for kube-prometheus-stack: what the chart has by default, and the routes and inhibition of these alerts. Lists
# of values replace those of the chart, so add your own routes, rules and receivers here. Replace the receivers chat and pager.
#   helm upgrade <release> prometheus-community/kube-prometheus-stack --reuse-values -f ${ALERTMANAGER_VALUES_FILE}
# Generated from ${ALERTMANAGER_FILE}. Change that file, then run: npm run rules
`;
  return `${comment}${stringify({ alertmanager: { config } }, { lineWidth: 110 })}`;
}
