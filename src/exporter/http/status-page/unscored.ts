/** Why pods have no score, in words. */

const WORDS: Readonly<Record<string, string>> = {
  warmup: 'warming up, too young to judge',
  completed: 'completed',
  not_finite: 'with a value that is not a number',
  misaligned: 'with values at other times than requested',
};

/** Ends a sentence that begins with a number of pods. */
export function describeReason(reason: string): string {
  const missing = /^missing_(.+)$/.exec(reason)?.[1];
  if (missing !== undefined) return `without ${missing}`;
  return Object.hasOwn(WORDS, reason) ? (WORDS[reason] as string) : reason.replaceAll('_', ' ');
}
