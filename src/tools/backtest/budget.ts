/** Which sensitivity sends no more messages than on-call is ready to read. */

export interface ComputedRate {
  readonly sensitivity: number;
  readonly messages_per_day: number;
}

/**
 * Suggests the lowest of the computed sensitivities, which is the one that sees most, whose alerts keep the budget. A
 * value between two is only hinted at: the number of messages need not fall evenly.
 *
 * @returns the lowest computed sensitivity that keeps the budget, `null` when none does; where the budget would be met
 *   exactly, between two that were computed, `null` when it lies outside of them; and both in words.
 */
export function suggestSensitivity(rates: readonly ComputedRate[], budgetPerDay: number) {
  const sorted = [...rates].sort((a, b) => a.sensitivity - b.sensitivity);
  // One that keeps the budget below one that does not is luck.
  const lastOver = sorted.findLastIndex(({ messages_per_day: rate }) => rate > budgetPerDay);
  const within = sorted[lastOver + 1];
  const over = sorted[lastOver];
  const budget = `the budget of ${budgetPerDay} ${budgetPerDay === 1 ? 'message' : 'messages'} a day`;
  const sends = (own: ComputedRate) => `${own.sensitivity} sends ${display(own.messages_per_day)}`;
  if (within === undefined) {
    const reason =
      over === undefined
        ? 'Nothing was computed.'
        : `No sensitivity that was computed keeps ${budget}: even ${sends(over)}. Look at the loudest workloads first, ` +
          'then try higher ones.';
    return { sensitivity: null, interpolated: null, reason };
  }
  const { sensitivity, messages_per_day: rate } = within;
  if (over === undefined) {
    const reason =
      `${sensitivity}, the lowest that was computed, sends ${display(rate)} a day and keeps ${budget}. ` +
      'Lower ones might as well.';
    return { sensitivity, interpolated: null, reason };
  }
  const interpolated = interpolate(over, within, budgetPerDay);
  const hint =
    interpolated < sensitivity
      ? ` Between the two, ${interpolated} might do: compute it with --sensitivity ${interpolated}.`
      : '';
  const reason = `${sends(within)} a day and keeps ${budget}; ${sends(over)}.${hint}`;
  return { sensitivity, interpolated, reason };
}

/** Rates fall about exponentially with the sensitivity; 0 counts as a little, of which a logarithm is known. */
function interpolate(over: ComputedRate, within: ComputedRate, budget: number): number {
  const log = (rate: number) => Math.log(Math.max(rate, 0.01));
  const share =
    (log(over.messages_per_day) - log(budget)) / (log(over.messages_per_day) - log(within.messages_per_day));
  const exact = over.sensitivity + share * (within.sensitivity - over.sensitivity);
  // Upwards, to the safe side.
  return Math.min(within.sensitivity, Math.ceil(exact * 10 - 1e-9) / 10);
}

function display(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : String(Math.round(rate));
}
