/** Gathers the facts of an installation with its settings: for the command, and within the service. */

import { totalmem } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Settings } from '../config/settings.js';
import { RECENT_STEP_SECONDS, recentSecondsOf } from '../detection/detect.js';
import { minuteOf } from '../detection/recent-minutes.js';
import type { FeatureDefinition } from '../features/catalog.js';
import type { PhaseQueries } from '../features/pod-phase.js';
import type { FeatureSet } from '../features/queries/feature-file.js';
import { sourceSelectors } from '../features/queries/selectors.js';
import type { SourceNames } from '../features/queries/template.js';
import { podKey } from '../features/table.js';
import { type OwnerQueries, resolveOwners, workloadFromName } from '../features/workload.js';
import type { PrometheusServerApi, QueryResult } from '../prometheus/api.js';
import { trainingSlices, trainingWindow } from '../training/plan.js';
import { longestIntervalSeconds } from '../training/schedule.js';
import { DEFAULT_INTERVAL_SECONDS } from '../training/trainer.js';
import { buildAnnotationQuery, readObjectKeys } from '../tuning/annotation-query.js';
import { NO_ANNOTATIONS, tuningOfObjects } from '../tuning/annotations.js';
import type { TuningRule } from '../tuning/rules.js';
import type { TuningLayer } from '../tuning/tuning.js';
import type { TuningFile } from '../tuning/tuning-file.js';
import { Asker, factOf } from './asker.js';
import { answersOf, anyOf } from './check-definition.js';
import type { AnswerFacts, Conditions, Facts, FeatureFacts, Source } from './facts.js';
import { gatherMemory } from './gather-memory.js';
import { gatherNames } from './gather-names.js';
import { gatherIdlePods, gatherNodes } from './gather-nodes.js';
import { gatherSource } from './gather-source.js';

/** Limit for all questions of a check together, in seconds. */
export const CHECK_TIMEOUT_SECONDS = 120;

/** What those know that ask for a check. */
type Running = Pick<Conditions, 'keeper' | 'model' | 'tuningFile'>;

/** The workload of a pod, where a training has found it. */
type WorkloadOf = (namespace: string, pod: string) => string | undefined;

/** As of a program that neither remembers anything nor has learned or read it. */
export const NOT_RUNNING: Running = { keeper: undefined, model: undefined, tuningFile: undefined };

/** What a check judges: facts, and what they are compared with. */
export interface Inspection {
  readonly facts: Facts;
  readonly conditions: Conditions;
}

/**
 * Asks Prometheus what the checks need to know.
 *
 * @param now Unix time in milliseconds.
 * @param running what a running service remembers and has learned, and the tuning file; asked for when all else is known.
 * @throws {PrometheusError} when it does not answer the first question.
 */
export async function inspect(
  settings: Settings,
  featureSet: FeatureSet,
  api: PrometheusServerApi,
  now: () => number,
  signal: AbortSignal,
  running: () => Running & { readonly workloadOf?: WorkloadOf } = () => NOT_RUNNING,
): Promise<Inspection> {
  const nowSeconds = () => now() / 1000;
  const conditions = conditionsOf(settings, nowSeconds());
  const { training } = conditions;
  const { queryOffsetSeconds } = settings;
  const { historyDays } = conditions;
  const { tuningFile, workloadOf } = running();
  const facts = await gatherFacts({
    ...featureSet,
    api,
    queryOffsetSeconds,
    training,
    historyDays,
    matchers: conditions.matchers,
    names: conditions,
    annotationQuery: settings.tuningAnnotations === 'on' ? buildAnnotationQuery(settings) : undefined,
    // A rule may be about pods that another shard watches.
    tuningFile: settings.totalShards === 1 ? tuningFile?.file : undefined,
    ...(workloadOf && { workloadOf }),
    nowSeconds,
    signal,
  });
  const { workloadOf: _, ...known } = running();
  return { facts, conditions: { ...conditions, ...known } };
}

function conditionsOf(settings: Settings, nowSeconds: number): Omit<Conditions, keyof Running> {
  const { namespaceRegex, podLabel, namespaceLabel, containerLabel, matchers, baseline, maximumPods } = settings;
  const { metricsSource, otlpTranslation } = settings;
  const { requestTimeoutSeconds, explain, alertBudgetPerDay } = settings;
  const interval = longestIntervalSeconds(settings.retrainSchedule, settings.retrainTimezone, nowSeconds);
  // The limit of the container, or the memory of the machine.
  const constrained = process.constrainedMemory();
  const memoryLimitBytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  const training = {
    baseline,
    maximumPods,
    lookbackSeconds: settings.trainingLookbackMinutes * 60,
    stepSeconds: settings.queryStepSeconds,
    untilNextTrainingSeconds: interval ?? DEFAULT_INTERVAL_SECONDS,
  };
  const historyDays = baseline === 'cluster' ? 0 : settings.historyDays;
  const names = { metricsSource, otlpTranslation, podLabel, namespaceLabel, containerLabel };
  const scope = { namespaceRegex, matchers, ...names };
  const limits = { requestTimeoutSeconds, explain, alertBudgetPerDay };
  return { ...scope, ...limits, training, historyDays, memoryLimitBytes, nowSeconds };
}

/** Where the facts come from. */
export interface Gathering extends Pick<FeatureSet, 'features' | 'ownerQueries' | 'phaseQueries'> {
  readonly api: PrometheusServerApi;
  readonly training: Conditions['training'];
  readonly historyDays: Conditions['historyDays'];
  /** Those that the features have; none if unset. */
  readonly matchers?: string;
  /** Whose names the features have; those of cAdvisor if unset. */
  readonly names?: SourceNames;
  /** Asks for annotations (`buildAnnotationQuery`); `undefined` where they do not count. */
  readonly annotationQuery?: string | undefined;
  /** Nothing if unset. */
  readonly tuningFile?: TuningFile | undefined;
  /** Kube-state-metrics is asked for the owners of pods that it does not know; of all if unset. */
  readonly workloadOf?: WorkloadOf;
  /** How far back the newest values are taken, in seconds, for a backend that hides its latest; 0 if unset. */
  readonly queryOffsetSeconds?: number;
  /** Unix time in seconds. */
  readonly nowSeconds: () => number;
  /** Ends the gathering; what was not answered until then is unknown. */
  readonly signal: AbortSignal;
}

/**
 * Asks Prometheus some 35 questions.
 *
 * @throws {PrometheusError} when it does not answer the first of them: there is nothing to know then.
 */
export async function gatherFacts(gathering: Gathering): Promise<Facts> {
  const {
    api,
    features,
    ownerQueries,
    phaseQueries,
    training,
    historyDays,
    matchers = '',
    names = {},
    annotationQuery,
    tuningFile,
    workloadOf = () => undefined,
    queryOffsetSeconds = 0,
    nowSeconds,
    signal,
  } = gathering;
  // What is hidden from scrapes and trainings must not be found here, nor be missed. Scrapes ask for whole minutes.
  const asker = new Asker(api, minuteOf(nowSeconds() - queryOffsetSeconds), signal);
  const sent = nowSeconds();
  const theirs = await asker.call((server, limit) => server.currentTimeSeconds(limit));
  const received = nowSeconds();
  const clock: Facts['clock'] = Number.isNaN(theirs)
    ? { known: false, because: 'Prometheus did not answer what time it has.' }
    : {
        known: true,
        value: { skewSeconds: theirs - (sent + received) / 2, uncertaintySeconds: (received - sent) / 2 },
      };
  const server = await factOf(asker.call((status, limit) => status.buildInfo(limit)));
  // First and alone, as in a scrape: what takes long here takes long there.
  const answers = await Promise.all(
    features.map(
      async (feature): Promise<FeatureFacts> => ({
        feature,
        answer: await factOf(gatherAnswer(asker, feature, nowSeconds)),
      }),
    ),
  );
  const sources = await Promise.all(sourcesOf(features).map((source) => gatherSource(asker, names, source)));
  const memory = await factOf(gatherMemory(asker, names, sources));
  const kubeStateMetrics = await factOf(gatherKubeStateMetrics(asker, ownerQueries, phaseQueries));
  const answered = answersOf({ features: answers });
  const pods = answered.known ? answered.value : [];
  const anySeries = anyOf(sources.map(({ series }) => series));
  const foundNames = anySeries.known
    ? await factOf(gatherNames(asker, { ...names, matchers }, sources, pods))
    : anySeries;
  const idlePods: Facts['idlePods'] = await factOf(gatherIdlePods(asker, phaseQueries, pods));
  const nodes: Facts['nodes'] = await factOf(gatherNodes(asker, { phaseQueries, matchers }, pods, idlePods));
  const required = sources.filter((source) => source.required);
  const oldest = required.find(({ selector }) => selector.rangeSeconds === undefined) ?? required[0];
  const unread = { known: false, because: 'No selector of a required feature could be read.' } as const;
  const history: Facts['history'] =
    oldest === undefined ? unread : await factOf(gatherHistory(asker, oldest.selector.text, training));
  const pastDays: Facts['pastDays'] =
    oldest === undefined ? unread : await factOf(gatherPastDays(asker, oldest.selector.text, historyDays));
  const tuningAnnotations: Facts['tuningAnnotations'] =
    annotationQuery === undefined
      ? { known: true, value: NO_ANNOTATIONS }
      : await factOf(asker.instant(annotationQuery).then((answer) => tuningOfObjects(readObjectKeys(answer))));
  const idleRules: Facts['idleRules'] =
    tuningFile === undefined || tuningFile.rules.length === 0
      ? { known: true, value: [] }
      : asker.warnings.isPartial
        ? PARTIAL
        : answered.known
          ? await factOf(findIdleRules(asker, tuningFile, ownerQueries, answered.value, workloadOf))
          : answered;
  return {
    clock,
    server,
    features: answers,
    sources,
    names: foundNames,
    memory,
    kubeStateMetrics,
    idlePods,
    nodes,
    history,
    pastDays,
    tuningAnnotations,
    idleRules,
    warnings: asker.warnings.texts,
    infos: asker.infos.texts,
  };
}

async function gatherKubeStateMetrics(asker: Asker, owners: OwnerQueries, { all: phases }: PhaseQueries) {
  const count = async (query: string | undefined) => (query === undefined ? 0 : asker.number(`count(${query})`));
  const [kinds, replicaSetOwners, jobOwners, podPhases] = await Promise.all([
    asker.instant(`count by (owner_kind) (max by (namespace, pod, owner_kind) (${owners.pod}))`),
    count(owners.replicaSet),
    count(owners.job),
    count(phases),
  ]);
  const podsOf = (kind: string) => kinds.values[kinds.labels.findIndex((labels) => labels.owner_kind === kind)] ?? 0;
  return {
    podOwners: kinds.values.reduce((sum, count) => sum + count, 0),
    replicaSetPods: podsOf('ReplicaSet'),
    jobPods: podsOf('Job'),
    replicaSetOwners,
    jobOwners,
    podPhases,
  };
}

/** What a rule does not match may be missing. */
const PARTIAL = { known: false, because: 'Prometheus warns that its answers are incomplete.' } as const;

/** The answer to a question that is not asked. */
const NO_LABELS = { labels: [] };

/** Pods whose rules are found in one turn of the event loop: scrapes go on meanwhile. */
const PODS_PER_TURN = 1024;

/** The places of the rules that match no pod with a value now. Owners that no training has found are looked up as in one. */
async function findIdleRules(
  asker: Asker,
  { rules, places, layersOf }: TuningFile,
  ownerQueries: OwnerQueries,
  answers: readonly AnswerFacts[],
  knownWorkloadOf: WorkloadOf,
): Promise<readonly string[]> {
  const met = new Set<TuningLayer>();
  let matched = 0;
  /** @returns the pods of which the workload is not known. */
  const match = async (keys: Iterable<string>, workloadOf: WorkloadOf): Promise<string[]> => {
    const unknown: string[] = [];
    for (const key of keys) {
      if (++matched % PODS_PER_TURN === 0) await nextTurn();
      const [namespace = '', pod = ''] = key.split('/');
      const workload = workloadOf(namespace, pod);
      if (workload === undefined) unknown.push(key);
      else for (const layer of layersOf({ namespace, pod, workload })) met.add(layer);
    }
    return unknown;
  };
  const unknown = await match(new Set(answers.flatMap(({ pods }) => [...pods])), knownWorkloadOf);
  if (unknown.length > 0 && rules.some(({ layer }) => !met.has(layer))) {
    const ask = (query: string | undefined) => (query === undefined ? NO_LABELS : asker.instant(query));
    const pod = await ask(ownerQueries.pod);
    const replicaSet = await ask(ownerQueries.replicaSet);
    const job = await ask(ownerQueries.job);
    const owners = resolveOwners({ pod, replicaSet, job });
    await match(unknown, (namespace, name) => owners.get(podKey(namespace, name)) ?? workloadFromName(name));
  }
  return places.filter((_, index) => !met.has((rules[index] as TuningRule).layer));
}

/** The selectors of all features, each once. */
export function sourcesOf(features: readonly FeatureDefinition[]): readonly Source[] {
  const sources = new Map<string, Source>();
  for (const { name, query, required } of features) {
    for (const selector of sourceSelectors(query)) {
      const known = sources.get(selector.text);
      sources.set(selector.text, {
        selector: known?.selector ?? selector,
        features: [...(known?.features ?? []), name],
        required: required || known?.required === true,
      });
    }
  }
  return [...sources.values()];
}

/**
 * Asks the query of a feature as a detection pass does: the last minutes, all features at the same time.
 *
 * @param clock seconds of a clock that never goes back.
 */
async function gatherAnswer(asker: Asker, feature: FeatureDefinition, clock: () => number): Promise<AnswerFacts> {
  const endSeconds = asker.nowSeconds;
  const startSeconds = endSeconds - recentSecondsOf(feature);
  const started = clock();
  const answer = await asker.range(feature.query, startSeconds, endSeconds, RECENT_STEP_SECONDS);
  return { durationSeconds: clock() - started, ...describeAnswer(answer, feature, startSeconds, endSeconds) };
}

/** Instants from the last one back to the one five minutes before. */
const LASTING_INSTANTS = 300 / RECENT_STEP_SECONDS;

/** @param startSeconds, endSeconds the first and the last instant that were asked for. */
export function describeAnswer(
  { labels, offsets, timestampsSeconds, shiftSeconds = 0 }: QueryResult,
  { podLabel }: Pick<FeatureDefinition, 'podLabel'>,
  startSeconds: number,
  endSeconds: number,
): Omit<AnswerFacts, 'durationSeconds'> {
  const pods = new Set<string>();
  const lasting = new Set<string>();
  const recent = new Set<string>();
  let unlabelled = 0;
  let samples = 0;
  let instants = 0;
  labels.forEach((own, index) => {
    const pod = own[podLabel];
    const first = offsets[index] as number;
    const last = (offsets[index + 1] as number) - 1;
    if (own.namespace === undefined || pod === undefined) unlabelled++;
    else if (last >= first) {
      const firstSeconds = timestampsSeconds[first] as number;
      const lastSeconds = timestampsSeconds[last] as number;
      samples += last - first + 1;
      instants += Math.round((lastSeconds - firstSeconds) / RECENT_STEP_SECONDS) + 1;
      const key = `${own.namespace}/${pod}`;
      if (endSeconds - lastSeconds < (LASTING_INSTANTS + 0.5) * RECENT_STEP_SECONDS) recent.add(key);
      if (endSeconds - lastSeconds > RECENT_STEP_SECONDS / 2) return;
      pods.add(key);
      if (endSeconds - firstSeconds >= (LASTING_INSTANTS - 0.5) * RECENT_STEP_SECONDS) lasting.add(key);
    }
  });
  const filled = instants === 0 ? 1 : samples / instants;
  let strayed = 0;
  // Half a step is more than rounding.
  const [earliest, latest] = [startSeconds - RECENT_STEP_SECONDS / 2, endSeconds + RECENT_STEP_SECONDS / 2];
  for (const seconds of timestampsSeconds) if (seconds < earliest || seconds > latest) strayed++;
  const points = timestampsSeconds.length;
  return { series: labels.length, points, unlabelled, pods, lasting, recent, shiftSeconds, strayed, filled };
}

/** Number of instants of the window that are checked at most. */
const MOST_INSTANTS = 120;

/** Asks how far back the data of a selector reaches. */
async function gatherHistory(asker: Asker, selector: string, training: Conditions['training']) {
  const { nowSeconds } = asker;
  const times = { ...training, nowSeconds };
  const window = trainingWindow(times).grid;
  const startSeconds = window[0] as number;
  const endSeconds = window.at(-1) as number;
  const count = `count(${selector})`;
  const stepSeconds = Math.max(training.stepSeconds, Math.ceil((endSeconds - startSeconds) / MOST_INSTANTS));
  const [inWindow, slices] = await Promise.all([
    asker.range(count, startSeconds, endSeconds, stepSeconds),
    Promise.all(
      trainingSlices(times, training.baseline).map(async ({ grid }) => {
        const middle = grid[Math.floor(grid.length / 2)] as number;
        const present = (await asker.number(count, middle)) > 0;
        return { ageSeconds: nowSeconds - (grid[0] as number), present };
      }),
    ),
  ]);
  const windowInstants = Math.floor((endSeconds - startSeconds) / stepSeconds) + 1;
  const windowGaps = windowInstants - inWindow.values.length;
  const reachSeconds = nowSeconds - (inWindow.timestampsSeconds[0] ?? nowSeconds);
  return { reachSeconds, stepSeconds, windowInstants, windowGaps, slices };
}

/** How finely to look how far back the data reaches: gaps shorter than this may hide its beginning. */
const PAST_STEP_SECONDS = 6 * 3600;

/** Asks for how long there is data of a selector, as far as the history wants to know. */
async function gatherPastDays(asker: Asker, selector: string, days: number) {
  if (days === 0) return { reachSeconds: undefined, stepSeconds: PAST_STEP_SECONDS };
  // Whole seconds, so that the last instant is not lost to rounding.
  const endSeconds = Math.floor(asker.nowSeconds);
  const past = await asker.range(`count(${selector})`, endSeconds - days * 86_400, endSeconds, PAST_STEP_SECONDS);
  const oldestSeconds = past.timestampsSeconds[0];
  const reachSeconds = oldestSeconds === undefined ? undefined : endSeconds - oldestSeconds;
  return { reachSeconds, stepSeconds: PAST_STEP_SECONDS };
}
