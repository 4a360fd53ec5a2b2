/** A recording as CSV text, in the form that `evaluate` reads. */

import type { Instant, PodSample } from './recording.js';

/** The first line. */
export const CSV_HEADER = 'timestamp,namespace,pod,cpu_cores,memory_bytes,restarts\n';

/** The rows of one instant. A value that is not there is an empty field. */
export function csvRows({ timeSeconds, samples }: Instant): string {
  return samples.map((sample) => csvRow(timeSeconds, sample)).join('');
}

function csvRow(timeSeconds: number, sample: PodSample): string {
  const { namespace, pod, cpuCores, memoryBytes, restarts } = sample;
  return `${timeSeconds},${namespace},${pod},${decimal(cpuCores)},${memoryBytes ?? ''},${restarts}\n`;
}

/** Six digits, without an exponent: values below 1e-6 are written with nine decimals. */
function decimal(value: number | undefined): string {
  if (value === undefined) return '';
  return value === 0 || Math.abs(value) >= 1e-6 ? String(value) : value.toFixed(9);
}
