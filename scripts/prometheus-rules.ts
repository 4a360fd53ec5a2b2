/** The rules of `deploy/prometheus/rules.yaml` as data, and the PrometheusRule that is generated from them. */

import { isScalar, parse, parseDocument, type Scalar, stringify, visit } from 'yaml';

/** The source of all rules. Tests and scripts run in the root of the repository. */
export const RULES_FILE = 'deploy/prometheus/rules.yaml';

/** The folder of their tests for promtool. */
export const RULES_TESTS = 'deploy/prometheus/tests';

/** The generated PrometheusRule of the manifests. */
export const PROMETHEUS_RULE_FILE = 'deploy/kubernetes/components/rules/prometheus-rule.yaml';

/** The generated groups for the PrometheusRule of the Helm chart, which can read only files of its own folder. */
export const CHART_RULES_FILE = 'deploy/helm/k8s-anomaly-detector/files/rules.yaml';

const GENERATED = `# Generated from ${RULES_FILE}. Change that file, then run: npm run rules\n`;

export interface RulesFile {
  readonly groups: readonly {
    readonly name: string;
    readonly interval?: string;
    readonly rules: readonly (RecordingRule | AlertingRule)[];
  }[];
}

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export function parseRules(text: string): RulesFile {
  return parse(text) as RulesFile;
}

export function recordsOf(file: RulesFile): readonly RecordingRule[] {
  return file.groups.flatMap(({ rules }) => rules.filter((rule) => 'record' in rule));
}

export function alertsOf(file: RulesFile): readonly AlertingRule[] {
  return file.groups.flatMap(({ rules }) => rules.filter((rule) => 'alert' in rule));
}

/** The queries in the template of an annotation, with each argument replaced by a text. */
export function templateQueries(annotation: string): readonly string[] {
  return [...annotation.matchAll(/\bquery `([^`]+)`|\bprintf `([^`]+)`[^}|]*\| query/g)].map(([, plain, formatted]) =>
    (plain ?? formatted ?? '').replaceAll('%q', '"x"').replaceAll('%s', ''),
  );
}

/** The same text with the address of each runbook in another folder. @param address without a slash at its end. */
export function withRunbooksAt(address: string, text: string): string {
  return text.replaceAll(/https:\/\/\S+\/(?=[A-Z]\w+\.md$)/gm, `${address}/`);
}

/** The labels of a recorded metric, from its name: `namespace_pod:metric:avg`. */
export function labelsOfRecord(name: string): readonly string[] {
  const [level = ''] = name.split(':');
  return level === 'cluster' ? [] : level.split('_');
}

/** The text of the PrometheusRule: the same groups with their comments, and every alias expanded. */
export function prometheusRule(rulesText: string): string {
  const head = stringify({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'k8s-anomaly-detector' },
  });
  return `${GENERATED}${head}spec:\n${withoutAliases(rulesText).replace(/^(?=.)/gm, '  ')}`;
}

/** The same groups as the `spec` of the PrometheusRule in the Helm chart. */
export function chartRules(rulesText: string): string {
  return `${GENERATED}${withoutAliases(rulesText)}`;
}

/** The rules with their comments, and every alias expanded: in a `spec`, anchors would be legal, but hard to read. */
function withoutAliases(rulesText: string): string {
  const document = parseDocument(rulesText);
  const [failure] = document.errors;
  if (failure !== undefined) throw failure;
  visit(document, {
    Alias(_, alias) {
      const target = alias.resolve(document);
      if (!isScalar(target)) throw new Error(`Expected the alias *${alias.source} to refer to a text.`);
      return target.clone() as Scalar;
    },
  });
  visit(document, {
    Scalar(_, scalar) {
      delete scalar.anchor;
    },
  });
  // The comment at its top is about the source.
  document.commentBefore = null;
  return document.toString({ lineWidth: 110 });
}
