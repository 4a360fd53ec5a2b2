/** What on-call gets of a case by the shipped rules, and which of it is about the labelled faults. */

import { podKey } from '../../exporter/features/table.js';
import { groupBy } from '../../lib/group-by.js';
import { type Alert, SHIPPED_FOR_SECONDS, simulateAlerts } from '../replay/alerts.js';
import { type ChunkResult, type FeatureName, lengthOf } from '../replay/chunk-result.js';
import { countEndings, type Ending, endingOf, isGone } from '../replay/endings.js';
import { type Message, notify } from '../replay/messages.js';
import { concerns, joinChunks, type PodHistory, podRunsAt } from '../replay/pod-history.js';
import { BIN_SECONDS, type Case } from './case.js';
import type { FaultOutcome } from './fault-outcomes.js';
import type { Fault } from './labels.js';
import type { LevelChange } from './level-changes.js';
import { MINUTES_OF_DAY, mean } from './measures.js';
import { podOfFault } from './point-classes.js';
import { scoredRange } from './recorded-history.js';

/** Everything countable of a case. */
export type OnCallTally = ReturnType<typeof tallyOnCall>;

/** What tallies come to. */
export type OnCallMeasures = ReturnType<typeof measureOnCall>;

/** The rules as Prometheus 3 reads them. */
const RULES = { forSeconds: SHIPPED_FOR_SECONDS, closedRanges: false };

/** After a fault, what it did may still show for this long. */
const AFTERMATH_SECONDS = 360;

/** An alert that begins later than this after the end of a fault has not caught it. */
const CATCH_SECONDS = 120;

/** A message that comes within this time after a fault, about nothing that began before, is about the recovery. */
const RECOVERY_SECONDS = 7200;

/** The alerts about a change of level begin within this time after it. */
const CHANGE_SECONDS = 36 * 3600;

/**
 * Runs the shipped rules over a case at one sensitivity.
 *
 * @param chunks of the whole case, in order of time.
 * @param outcomes of the labels of this case.
 * @param changes of level for good of this case, in order of time.
 * @param kinds of workloads, by their keys.
 * @param sensitivity index among those that were replayed.
 */
export function tallyOnCall(
  recording: Case,
  chunks: readonly ChunkResult[],
  outcomes: readonly FaultOutcome[],
  changes: readonly LevelChange[],
  kinds: ReadonlyMap<string, string>,
  sensitivity: number,
) {
  const { startSeconds, endSeconds } = scoredRange(recording);
  const features = chunks[0]?.features ?? [];
  const pods = joinChunks(chunks, startSeconds);
  const minutes = Math.max(0, Math.round((endSeconds - startSeconds) / BIN_SECONDS));
  const alerts = simulateAlerts(podRunsAt(pods, sensitivity), minutes, RULES);
  const { messages, sentSeconds } = notify(alerts);
  const reported = alerts.filter((alert) => sentSeconds.has(alert));
  const kindOf = ({ namespace, workload }: Owner) => kinds.get(podKey(namespace, workload));
  const isOf = (labels: readonly FaultOutcome[], { namespace, workload, alerts: own }: Message) =>
    labels.some(({ fault }) => {
      const identity = recording.pods[podOfFault(recording, fault)]?.identity;
      if (identity === undefined) return false;
      const isAbout = namespace === '' || (identity.namespace === namespace && identity.workload === workload);
      return isAbout && own.some((alert) => overlaps(alert, startSeconds, fault, AFTERMATH_SECONDS));
    });
  const isOfFault = (message: Message) => isOf(outcomes, message);
  const scoredMinutesByKind = new Map<string, number>();
  for (const pod of pods) {
    const kind = kindOf(pod);
    if (kind !== undefined) addTo(scoredMinutesByKind, kind, lengthOf(pod.scored));
  }
  const faults = groupBy<FaultOutcome, unknown>(outcomes, (outcome) => outcome.fault.id ?? outcome);
  const run = { alerts: reported, messages, sentSeconds, pods, features, sensitivity, startSeconds };
  const reports = changes.map((change) => reportsOfChange(change, changes, run));
  const ofChanges = new Set(reports.flatMap((report) => report.messages));
  const isLate = ({ startSeconds: start }: LevelChange) => start >= startSeconds && start < endSeconds;
  return {
    /** Pod-minutes with a score, in all and by kind of workload. */
    scoredMinutes: pods.reduce((sum, { scored }) => sum + lengthOf(scored), 0),
    scoredMinutesByKind,
    /** Minutes after those that are only learned from. */
    minutes,
    /** Hours with pods that the first training remembered. */
    rememberedHours: chunks[0]?.rememberedHours ?? 0,
    /** Messages a day that the last model expected; `NaN` where too little was known. */
    expectedPerDay: chunks.at(-1)?.expectedMessagesPerDay ?? Number.NaN,
    messages: messages.map((message) => ({
      case: recording.name,
      /** Empty for the whole fleet, as is the workload. */
      namespace: message.namespace,
      workload: message.workload,
      kind: kindOf(message),
      /** Unix time in seconds. */
      timestamp: startSeconds + message.sentSeconds,
      alerts: message.alerts.map(({ name, pod }) => ({ alert: name, pod })),
      endings: message.alerts.map((alert) => endingOf(alert, pods, sensitivity, features)),
      /** About a workload with a labelled fault, at its time; else it is a false one. */
      isOfFault: isOfFault(message),
      /** About a workload whose level has changed for good in the hours before. */
      isOfChange: ofChanges.has(message),
    })),
    faults: [...faults.values()].map((group) => {
      const others = outcomes.filter((outcome) => !group.includes(outcome));
      return onCallFault(group, run, kindOf, (message) => ofChanges.has(message) || isOf(others, message));
    }),
    /** Changes of level for good that come after the minutes that are only learned from. */
    changes: reports
      .filter(({ change }) => isLate(change))
      .map((report) => onCallChange(report, startSeconds, isOfFault)),
  };
}

type Owner = Pick<PodHistory, 'namespace' | 'workload'>;

interface Run {
  /** Those that on-call learned of. */
  readonly alerts: readonly Alert[];
  readonly messages: readonly Message[];
  readonly sentSeconds: ReadonlyMap<Alert, number>;
  readonly pods: readonly PodHistory[];
  readonly features: readonly FeatureName[];
  readonly sensitivity: number;
  /** Unix time from which the times of alerts count. */
  readonly startSeconds: number;
}

/**
 * A fault, by its labels on all pods that it hits, and what on-call got of it.
 *
 * @param isOfOther whether a message is about another fault or a change of level.
 */
function onCallFault(
  group: readonly [FaultOutcome, ...FaultOutcome[]],
  { alerts, messages, sentSeconds, pods, features, sensitivity, startSeconds }: Run,
  kindOf: (owner: Owner) => string | undefined,
  isOfOther: (message: Message) => boolean,
) {
  const judged = group.filter(({ leftOut }) => leftOut === undefined);
  const faults = (judged.length > 0 ? judged : group).map(({ fault }) => fault);
  const { case: caseName, type } = faults[0] as Fault;
  const from = Math.min(...faults.map((fault) => fault.startSeconds));
  const to = Math.max(...faults.map((fault) => fault.endSeconds));
  const hit = faults.flatMap((fault) => {
    const pod = pods.find((own) => own.pod === fault.pod && own.namespace === (fault.namespace ?? own.namespace));
    return pod === undefined ? [] : [{ pod, fault }];
  });
  const workloads = new Set(hit.map(({ pod: { namespace, workload } }) => podKey(namespace, workload)));
  // The alert of the fleet or of a namespace reports a fault of many workloads, and one of a single workload only by chance.
  const isWide = workloads.size > 1;
  const own = alerts.filter(
    (alert) =>
      (!isWide || alert.workload === '') &&
      hit.some(({ pod, fault }) => concerns(alert, pod) && overlaps(alert, startSeconds, fault, CATCH_SECONDS)),
  );
  const sent = own.map((alert) => startSeconds + (sentSeconds.get(alert) as number));
  const spans = own.map((alert) => [startSeconds + alert.startSeconds, startSeconds + alert.endSeconds] as const);
  const [last] = [...own].sort((a, b) => b.heldUntilSeconds - a.heldUntilSeconds);
  const isAbout = ({ namespace, workload }: Message) =>
    workload === ''
      ? isWide && hit.some(({ pod }) => namespace === '' || namespace === pod.namespace)
      : workloads.has(podKey(namespace, workload));
  const messagesOf = (isOfIt: (alert: Alert) => boolean) =>
    messages.filter((message) => isAbout(message) && message.alerts.some(isOfIt));
  const ending = last && endedOf(last, hit, startSeconds + last.heldUntilSeconds >= to - BIN_SECONDS);
  return {
    case: caseName,
    type,
    kind: hit[0] && kindOf(hit[0].pod),
    pods: faults.flatMap(({ pod }) => pod ?? []),
    startSeconds: from,
    endSeconds: to,
    /** `undefined` for a fault that is judged. */
    leftOut: judged.length > 0 ? undefined : group[0].leftOut,
    /** Minutes from the start to the first message; `undefined` without one. */
    delayMinutes: own.length === 0 ? undefined : Math.max(0, Math.min(...sent) - from) / 60,
    /** Of the time from the first alert to the end of the fault, the share with an alert on; `undefined` without. */
    heldShare: heldShare(spans, from, to),
    /** How the last alert of it ended, by the labels; and whether the values say the same. */
    ended: ending,
    isEndedRight: last && ending === endingOf(last, pods, sensitivity, features),
    /** Messages about its workload while it lasted. */
    messages: messagesOf(
      (alert) =>
        // While many workloads have a fault, some of them have an alert for something else.
        (!isWide || startSeconds + alert.startSeconds >= from) &&
        overlaps(alert, startSeconds, { startSeconds: from, endSeconds: to }, CATCH_SECONDS),
    ).length,
    /** Messages about its workload with alerts that began after it, and about nothing else that is known. */
    recoveryMessages: messagesOf((alert) => {
      const after = startSeconds + alert.startSeconds - to;
      return after >= CATCH_SECONDS && after < RECOVERY_SECONDS;
    }).filter((message) => !isOfOther(message)).length,
  };
}

/** What on-call got of a change of level for good. @param changes all of them, in order of time. */
function reportsOfChange(
  change: LevelChange,
  changes: readonly LevelChange[],
  { alerts, messages, startSeconds }: Run,
) {
  const isSame = ({ namespace, workload }: Owner) => namespace === change.namespace && workload === change.workload;
  const next = changes.find((other) => isSame(other) && other.startSeconds > change.startSeconds);
  const from = change.startSeconds - startSeconds;
  const to = Math.min(from + CHANGE_SECONDS, (next?.startSeconds ?? Infinity) - startSeconds);
  const isOfIt = (alert: Alert) => isSame(alert) && alert.startSeconds >= from && alert.startSeconds < to;
  return { change, alerts: alerts.filter(isOfIt), messages: messages.filter((message) => message.alerts.some(isOfIt)) };
}

function onCallChange(
  { change, alerts, messages }: ReturnType<typeof reportsOfChange>,
  startSeconds: number,
  isOfFault: (message: Message) => boolean,
) {
  const own = messages.filter((message) => !isOfFault(message));
  const isOn = own.length > 0 && alerts.some(({ open }) => open);
  const lastSeconds = startSeconds + Math.max(...alerts.map(({ heldUntilSeconds }) => heldUntilSeconds));
  return {
    ...change,
    messages: own.length,
    /** Until its last alert ended; `undefined` without a message, and where an alert still fires at the end. */
    hoursUntilQuiet: own.length === 0 || isOn ? undefined : (lastSeconds - change.startSeconds) / 3600,
    isStillOn: isOn,
  };
}

/** Whether an alert, not counting the time for which it is kept firing, falls into a fault or shortly after it. */
function overlaps(
  alert: Alert,
  startSeconds: number,
  fault: Pick<Fault, 'startSeconds' | 'endSeconds'>,
  afterSeconds: number,
): boolean {
  return (
    startSeconds + alert.heldUntilSeconds > fault.startSeconds &&
    startSeconds + alert.startSeconds < fault.endSeconds + afterSeconds
  );
}

/** The share of the time from the first of these spans to `to` that spans cover; `undefined` where there is no time. */
function heldShare(
  spans: readonly (readonly [from: number, to: number])[],
  from: number,
  to: number,
): number | undefined {
  const sorted = spans
    .map(([first, last]) => [Math.max(from, first), Math.min(to, last)] as const)
    .sort(([a], [b]) => a - b);
  const begin = sorted[0]?.[0] ?? to;
  if (begin >= to) return undefined;
  let covered = 0;
  let reached = begin;
  for (const [first, last] of sorted) {
    covered += Math.max(0, last - Math.max(reached, first));
    reached = Math.max(reached, last);
  }
  return covered / (to - begin);
}

/** @param isOver as the labels have it: the fault was over when the expression no longer held. */
function endedOf(alert: Alert, hit: readonly { readonly pod: PodHistory }[], isOver: boolean): Ending {
  if (alert.open) return 'still_on';
  const minute = Math.floor(alert.heldUntilSeconds / BIN_SECONDS);
  if (hit.every(({ pod }) => isGone(pod.scored, minute))) return 'gone';
  return isOver ? 'recovered' : 'accepted';
}

/** What the tallies of some cases come to, all cases together. */
export function measureOnCall(tallies: readonly OnCallTally[]) {
  const podDays = tallies.reduce((sum, { scoredMinutes }) => sum + scoredMinutes, 0) / MINUTES_OF_DAY;
  const messages = tallies.flatMap((tally) => tally.messages);
  const wrong = messages.filter(({ isOfFault }) => !isOfFault);
  const judged = tallies.flatMap(({ faults }) => faults).filter(({ leftOut }) => leftOut === undefined);
  const types = [...new Set(judged.map(({ type }) => type))].sort();
  const changes = tallies.flatMap((tally) => tally.changes);
  const minutesByKind = new Map<string, number>();
  for (const { scoredMinutesByKind } of tallies) {
    for (const [kind, minutes] of scoredMinutesByKind) addTo(minutesByKind, kind, minutes);
  }
  const falseKinds = wrong.flatMap(({ kind }) => kind ?? []);
  const falseWorkloads = wrong.map(({ namespace, workload }) =>
    namespace === '' ? 'the whole fleet' : podKey(namespace, workload),
  );
  return {
    /** Days with a score, all pods together. */
    podDays,
    /** Messages that are about no fault. */
    falseMessages: wrong.length,
    /** Of one case: each is a cluster of its own. `NaN` without a minute. */
    falsePerDay: (wrong.length * MINUTES_OF_DAY) / tallies.reduce((sum, { minutes }) => sum + minutes, 0),
    /** What the last models expected of that when nothing is wrong, the mean over the cases; `NaN` where one did not know. */
    expectedPerDay: mean(tallies.map(({ expectedPerDay }) => expectedPerDay)),
    /** Of these: about a level that has changed for good. */
    falseAboutChanges: wrong.filter(({ isOfChange }) => isOfChange).length,
    falsePer1000PodsAndDay: (1000 * wrong.length) / podDays,
    faultMessages: messages.length - wrong.length,
    /** How the alerts of the false messages ended. */
    falseEndings: countEndings(wrong.flatMap(({ endings }) => endings)),
    faults: caughtOf(judged),
    byFaultType: types.map((type) => ({ type, ...caughtOf(judged.filter((fault) => fault.type === type)) })),
    /** Changes of level for good, by what the recordings call them. */
    byChange: [...groupBy(changes, ({ change }) => change)].map(([change, own]) => ({ change, ...settledOf(own) })),
    /** The loudest first; empty where the recordings do not tell kinds. */
    byKind: ratesOf(falseKinds, minutesByKind),
    /** The loudest first. */
    byWorkload: ratesOf(falseWorkloads, new Map()),
  };
}

/** Faults that are judged, together. */
export type OnCallCaught = ReturnType<typeof caughtOf>;

function caughtOf(faults: OnCallTally['faults']) {
  const caught = faults.filter(({ delayMinutes }) => delayMinutes !== undefined);
  return {
    faults: faults.length,
    caught: caught.length,
    /** Means over the faults that were caught; `NaN` without any. */
    meanDelayMinutes: mean(caught.flatMap(({ delayMinutes }) => delayMinutes ?? [])),
    meanHeldShare: mean(caught.flatMap((fault) => fault.heldShare ?? [])),
    endings: countEndings(caught.flatMap(({ ended }) => ended ?? [])),
    /** Of the faults that were caught: whose last alert ended as the values say. */
    endedRight: caught.filter(({ isEndedRight }) => isEndedRight).length,
    meanMessages: mean(caught.map((fault) => fault.messages)),
    withOneMessage: caught.filter((fault) => fault.messages === 1).length,
    /** Of all these faults. */
    recoveryMessages: faults.reduce((sum, fault) => sum + fault.recoveryMessages, 0),
  };
}

/** Changes of level together. */
export type OnCallSettled = ReturnType<typeof settledOf>;

function settledOf(changes: OnCallTally['changes']) {
  const reported = changes.filter(({ messages }) => messages > 0);
  const hours = reported.flatMap(({ hoursUntilQuiet }) => hoursUntilQuiet ?? []);
  return {
    changes: changes.length,
    /** With a message, and with more than one. */
    reported: reported.length,
    reportedAgain: reported.filter(({ messages }) => messages > 1).length,
    messages: reported.reduce((sum, { messages }) => sum + messages, 0),
    /** Of those with a message: until the last alert ended; and those that still alert at the end. `NaN` without any. */
    meanHoursUntilQuiet: mean(hours),
    mostHoursUntilQuiet: hours.length === 0 ? Number.NaN : Math.max(...hours),
    stillOn: reported.filter(({ isStillOn }) => isStillOn).length,
  };
}

/** False messages about a kind, or about a `namespace/workload`. */
export type MessageRate = ReturnType<typeof ratesOf>[number];

/** @param names one for each message. @param minutes scored of each name; names in it are listed without a message as well. */
function ratesOf(names: readonly string[], minutes: ReadonlyMap<string, number>) {
  const counts = new Map([...minutes.keys()].map((name) => [name, 0]));
  for (const name of names) addTo(counts, name, 1);
  return [...counts]
    .map(([of, messages]) => {
      const podDays = (minutes.get(of) ?? Number.NaN) / MINUTES_OF_DAY;
      /** Of a thousand of its pods that are scored for a day; `NaN` where that is not known. */
      const per1000PodsAndDay = (1000 * messages) / podDays;
      return { of, messages, per1000PodsAndDay };
    })
    .sort((a, b) => b.messages - a.messages);
}

function addTo(sums: Map<string, number>, name: string, more: number): void {
  sums.set(name, (sums.get(name) ?? 0) + more);
}
