/** What the cluster says of pods, in words: how their containers ended, what they wait for, and where they run. */

import { counted, formatBytes, formatDuration, formatPercent, formatQuantity } from '../../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import type { PodContext, ResourceAmounts } from '../../context/pod-context.js';
import { contextOf, fact, type Surroundings, secondsToFull } from './around.js';
import type { ShownPod } from './selection.js';
import { clock } from './since.js';

/** A share of time below this is as good as none. */
const LEAST_SHARE = 0.05;

/** What may differ between the pods of a workload; of several pods, the texts that most have. */
const MOST_TEXTS = 2;

const DAY_SECONDS = 86_400;

/** When the memory of the first of some pods that runs full is full; nothing where none does within a day. */
export function fullFact(pods: readonly ShownPod[], around: Surroundings): Html {
  const times = pods.flatMap((pod) => secondsToFull(around, pod) ?? []);
  if (times.length === 0) return NO_HTML;
  const soonest = Math.min(...times);
  const which = pods.length === 1 ? '' : `, the first of ${counted(times.length, 'pod')}`;
  return fact('Memory full', html`<strong>${inAbout(soonest)}</strong>${which}`);
}

/** `in about 40 min`. */
export function inAbout(seconds: number): string {
  return seconds === 0 ? 'now' : `in about ${formatDuration(seconds)}`;
}

/** Facts for an entry with some pods, those that say something now; none where nothing is known. */
export function contextFacts(pods: readonly ShownPod[], around: Surroundings): readonly Html[] {
  const contexts = pods.flatMap((pod) => contextOf(around, pod) ?? []);
  const isOne = pods.length === 1;
  const { nowSeconds } = around;
  return [
    about('Ended', contexts, (context) => ended(context, isOne, nowSeconds)),
    about('Waits', contexts, ({ waiting }) => waiting?.reason),
    about('Out of memory', contexts, ({ oomEvents = 0 }) =>
      oomEvents > 0 ? `${counted(Math.round(oomEvents), 'time')} in the last hour` : undefined,
    ),
    about('CPU throttled', contexts, ({ throttledRatio = 0 }) => ofTime(throttledRatio)),
    about('Waited for', contexts, pressure),
    about('Started', contexts, ({ createdSeconds = 0 }) =>
      nowSeconds - createdSeconds < DAY_SECONDS ? ago(createdSeconds, isOne, nowSeconds) : undefined,
    ),
    about('Node', contexts, ({ node }) => node),
    about('Image', contexts, ({ images }) => images.map(shortImage).join(', ')),
  ];
}

/** All that is known of one pod. */
export function allContextFacts(pod: ShownPod, around: Surroundings): readonly Html[] {
  const context = contextOf(around, pod);
  if (context === undefined) return [];
  const { nowSeconds } = around;
  const { createdSeconds, limits, requests, images, throttledRatio, oomEvents } = context;
  const all = (term: string, text: string | undefined) => about(term, [context], () => text);
  return [
    all('Ended', ended(context, true, nowSeconds)),
    all('Waits', context.waiting && `${context.waiting.reason}, container ${context.waiting.container}`),
    all(
      'Out of memory',
      oomEvents === undefined ? undefined : `${counted(Math.round(oomEvents), 'time')} in the last hour`,
    ),
    all('CPU throttled', throttledRatio === undefined ? undefined : ofTime(throttledRatio, 0)),
    all('Waited for', pressure(context, 0)),
    all('Started', createdSeconds === undefined ? undefined : ago(createdSeconds, true, nowSeconds)),
    all('Node', context.node),
    all('Limits', amounts(limits) || 'none for all containers'),
    all('Requests', amounts(requests) || 'none'),
    all('Image', images.join(', ')),
  ];
}

/** A fact that is a text of each pod; of several texts, with the number of pods that have it. */
function about(
  term: string,
  contexts: readonly PodContext[],
  textOf: (context: PodContext) => string | undefined,
): Html {
  const counts = new Map<string, number>();
  for (const context of contexts) {
    const text = textOf(context);
    if (text) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  if (counts.size === 0) return NO_HTML;
  const texts = [...counts].sort(([, a], [, b]) => b - a);
  const shown = texts
    .slice(0, MOST_TEXTS)
    .map(([text, count]) => (contexts.length === 1 ? text : `${text} (${counted(count, 'pod')})`));
  const more = texts.length - shown.length;
  return fact(term, html`<bdi>${[...shown, ...(more > 0 ? [`${more} more`] : [])].join('; ')}</bdi>`);
}

/** `OOMKilled (exit code 137), container app, 3 min ago`. */
function ended({ lastTermination }: PodContext, isOne: boolean, nowSeconds: number): string | undefined {
  if (lastTermination === undefined) return undefined;
  const { reason, exitCode, container, timeSeconds } = lastTermination;
  const code = exitCode === undefined ? '' : ` (exit code ${exitCode})`;
  if (!isOne) return `${reason}${code}`;
  const when = timeSeconds === undefined ? '' : `, ${formatDuration(nowSeconds - timeSeconds)} ago`;
  return `${reason}${code}, container ${container}${when}`;
}

function ofTime(share: number, least = LEAST_SHARE): string | undefined {
  return share < least ? undefined : `${formatPercent(share)} of the time`;
}

/** `memory 12 % of the time`. */
function pressure({ pressure: shares }: PodContext, least = LEAST_SHARE): string | undefined {
  const texts = (['cpu', 'memory', 'io'] as const).flatMap((resource) => {
    const text = shares[resource] === undefined ? undefined : ofTime(shares[resource], least);
    return text === undefined ? [] : [`${resource} ${text}`];
  });
  return texts.length === 0 ? undefined : texts.join(', ');
}

const ago = (seconds: number, isOne: boolean, nowSeconds: number) =>
  `${clock(seconds, nowSeconds)}${isOne ? `, ${formatDuration(nowSeconds - seconds)} ago` : ''}`;

const amounts = ({ cpu, memory }: ResourceAmounts) =>
  [
    cpu === undefined ? [] : `cpu ${formatQuantity(cpu, 'cores')}`,
    memory === undefined ? [] : `memory ${formatBytes(memory)}`,
  ]
    .flat()
    .join(', ');

/** `app:1.0` of `registry.example.org/team/app:1.0`. */
const shortImage = (image: string) => image.slice(image.lastIndexOf('/') + 1);
