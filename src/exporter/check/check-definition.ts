/** The shape of every rule: from facts to one finding, without a clock and without a network. */

import { metricName, TRANSLATIONS } from '../features/opentelemetry/names.js';
import type { SourceSelector } from '../features/queries/selectors.js';
import { isPartial } from '../prometheus/api.js';
import type { AnswerFacts, Conditions, Fact, Facts, FeatureFacts, SourceFacts } from './facts.js';
import type { Finding, NotChecked } from './finding.js';

/** What a rule finds, or why there is nothing to judge; the name of the check is added. */
export type Judgement = Omit<Finding, 'check'> | Omit<NotChecked, 'check'>;

/** For a rule without any data; the check `series` says what to do. */
export const NO_SERIES: Judgement = { because: 'There are no series to check.' };

/** One check. */
export interface CheckDefinition {
  /** Stable name, in snake_case: a label of metrics. */
  readonly id: string;
  judge(facts: Facts, conditions: Conditions): Finding | NotChecked;
}

/** A check that needs one fact, and cannot be made without. */
export function checkOf<Value>(
  id: string,
  factOf: (facts: Facts) => Fact<Value>,
  rule: (value: Value, facts: Facts, conditions: Conditions) => Judgement,
): CheckDefinition {
  return {
    id,
    judge: (facts, conditions) => {
      const fact = factOf(facts);
      return { check: id, ...(fact.known ? rule(fact.value, facts, conditions) : { because: fact.because }) };
    },
  };
}

const LEFT_OUT =
  'Prometheus warns that its answers are incomplete: what is missing may be in what Prometheus left out.';

/** A check that finds fault with what is not there: no error follows from that while answers are incomplete. */
export function checkOfAbsence<Value>(...[id, factOf, rule]: Parameters<typeof checkOf<Value>>): CheckDefinition {
  return checkOf(id, factOf, (value, facts, conditions) => {
    const judgement = rule(value, facts, conditions);
    if (!('severity' in judgement) || judgement.severity === 'ok' || !isPartial(facts)) return judgement;
    const meaning = [judgement.meaning, LEFT_OUT].filter((sentence) => sentence !== undefined).join(' ');
    return { ...judgement, severity: 'warning', meaning };
  });
}

/** Something that is always known. */
export const always = <Value>(value: Value): Fact<Value> => ({ known: true, value });

/** The values that are known. */
export function knownOf<Value>(facts: readonly (Fact<Value> | undefined)[]): readonly Value[] {
  return facts.flatMap((fact) => (fact?.known ? [fact.value] : []));
}

/** All values that are known, or the first reason why none is. An empty list is known. */
export function anyOf<Value>(facts: readonly (Fact<Value> | undefined)[]): Fact<readonly Value[]> {
  const values = knownOf(facts);
  const unknown = facts.find((fact) => fact?.known === false);
  return values.length === 0 && unknown?.known === false ? unknown : always(values);
}

/** The answer to the query of a feature, with the feature. */
export type Answered = AnswerFacts & Pick<FeatureFacts, 'feature'>;

/** What the features answered. */
export const answersOf = ({ features }: Pick<Facts, 'features'>): Fact<readonly Answered[]> =>
  anyOf(features.map(({ feature, answer }) => (answer.known ? always({ feature, ...answer.value }) : answer)));

/** The pods that have a value now, but of no required feature, sorted. */
export function podsWithoutUsage(answers: readonly Answered[]): readonly string[] {
  const pods = (isRequired: boolean) =>
    answers.flatMap(({ feature, pods: own }) => (feature.required === isRequired ? [...own] : []));
  const measured = new Set(pods(true));
  return [...new Set(pods(false))].filter((pod) => !measured.has(pod)).sort();
}

/** The pods (`namespace/pod`) that last without any usage, and in which something may run, sorted. */
export function unmeasuredPods(
  answers: readonly Answered[],
  idlePods: ReadonlyMap<string, unknown>,
): readonly string[] {
  const lasting = new Set(answers.flatMap((answer) => [...answer.lasting]));
  const recent = new Set(answers.flatMap(({ feature, recent: own }) => (feature.required ? [...own] : [])));
  return podsWithoutUsage(answers).filter((pod) => lasting.has(pod) && !recent.has(pod) && !idlePods.has(pod));
}

/** What is known of each source, by the source. */
export const ofSources =
  <Value>(pick: (source: SourceFacts) => Fact<Value> | undefined) =>
  ({ sources }: Facts): Fact<readonly { readonly source: SourceFacts; readonly value: Value }[]> =>
    anyOf(
      sources.map((source) => {
        const fact = pick(source);
        return fact?.known ? always({ source, value: fact.value }) : fact;
      }),
    );

/** Whether a source is what kube-state-metrics or the receiver k8s_cluster says: a check of its own says what is missing. */
export const isOfState = ({ metric = '' }: SourceSelector): boolean =>
  metric.startsWith('kube_') || COLLECTOR_RESTARTS.includes(metric);

/** Other metrics whose names begin with `k8s` are those of feature files. */
const COLLECTOR_RESTARTS = TRANSLATIONS.map((one) => metricName('k8s.container.restarts', one));

/** The name of a source in messages. */
export const nameOf = ({ selector }: { readonly selector: SourceSelector }): string => selector.metric ?? selector.text;
