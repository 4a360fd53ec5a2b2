/** Counts by reason. */

export type Counts = ReadonlyMap<string, number>;

export function count(counts: Map<string, number>, reason: string, times = 1): void {
  if (times > 0) counts.set(reason, (counts.get(reason) ?? 0) + times);
}

export function sumCounts(parts: readonly Counts[]): Counts {
  const sum = new Map<string, number>();
  for (const part of parts) for (const [reason, times] of part) count(sum, reason, times);
  return sum;
}

export function total(counts: Counts): number {
  return [...counts.values()].reduce((sum, times) => sum + times, 0);
}
