/** The rules of the tuning file, and which of them a pod meets. */

import { wholeMatch } from '../../lib/text/re2.js';
import type { PodIdentity } from '../features/table.js';
import type { TuningLayer } from './tuning.js';

/** What the names of a pod must match, as a whole, in the syntax of RE2. What is absent matches every name. */
export interface RuleMatch {
  readonly namespace?: string | undefined;
  readonly workload?: string | undefined;
  readonly pod?: string | undefined;
}

/** One rule, as plain data: each thread compiles its own. */
export interface TuningRule {
  readonly match: RuleMatch;
  readonly layer: TuningLayer;
}

/** Finds the layers of the rules that a pod meets, in the order of the rules; empty for nearly every pod. */
export type LayersOf = (pod: PodIdentity) => readonly TuningLayer[];

const NOTHING: readonly never[] = [];

/** Names that are remembered at once; with more, all are matched again. */
const MOST_NAMES = 300_000;

/** What is left to match of a rule once a namespace or a workload is known. */
type Matcher = ((name: string) => boolean) | undefined;

interface CompiledRule {
  readonly workload: Matcher;
  readonly pod: Matcher;
  readonly layer: TuningLayer;
}

/**
 * Compiles rules. Expressions are matched once for each namespace, each workload of it and each pod, as far as a rule needs
 * it: pods of namespaces without a rule cost almost nothing.
 *
 * @throws {ExpressionError} for an expression that is invalid.
 */
export function compileRules(rules: readonly TuningRule[]): LayersOf {
  if (rules.length === 0) return () => NOTHING;
  const compile = (expression: string | undefined) => (expression === undefined ? undefined : wholeMatch(expression));
  const compiled = rules.map(({ match, layer }) => ({
    namespace: compile(match.namespace),
    workload: compile(match.workload),
    pod: compile(match.pod),
    layer,
  }));
  const ofNamespace = remember((name) => withWorkloads(compiled.filter(({ namespace }) => namespace?.(name) ?? true)));
  return ({ namespace, workload, pod }) => ofNamespace(namespace)(workload)(pod);
}

type OfPod = (pod: string) => readonly TuningLayer[];

function withWorkloads(rules: readonly CompiledRule[]): (workload: string) => OfPod {
  if (rules.every(({ workload }) => workload === undefined)) {
    const ofPod = withPods(rules);
    return () => ofPod;
  }
  return remember((name) => withPods(rules.filter(({ workload }) => workload?.(name) ?? true)));
}

function withPods(rules: readonly CompiledRule[]): OfPod {
  if (rules.every(({ pod }) => pod === undefined)) {
    const layers = rules.length === 0 ? NOTHING : rules.map(({ layer }) => layer);
    return () => layers;
  }
  return remember((name) => rules.filter(({ pod }) => pod?.(name) ?? true).map(({ layer }) => layer));
}

function remember<Value>(find: (name: string) => Value): (name: string) => Value {
  const known = new Map<string, Value>();
  return (name) => {
    const remembered = known.get(name);
    if (remembered !== undefined) return remembered;
    if (known.size >= MOST_NAMES) known.clear();
    const found = find(name);
    known.set(name, found);
    return found;
  };
}
