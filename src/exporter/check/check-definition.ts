/** The shape of every rule: from facts to one finding, without a clock and without a network. */

import type { Conditions, Fact, Facts } from './facts.js';
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
      return fact.known
        ? { check: id, ...rule(fact.value, facts, conditions) }
        : { check: id, because: fact.because };
    },
  };
}

/** All values, or the first reason why there are not any. An empty list is known. */
export function anyOf<Value>(facts: readonly (Fact<Value> | undefined)[]): Fact<readonly Value[]> {
  const values: Value[] = [];
  let because: string | undefined;
  for (const fact of facts) {
    if (fact?.known) values.push(fact.value);
    else because ??= fact?.because;
  }
  return values.length === 0 && because !== undefined
    ? { known: false, because }
    : { known: true, value: values };
}

/** Something that is always known. */
export function always<Value>(value: Value): Fact<Value> {
  return { known: true, value };
}
