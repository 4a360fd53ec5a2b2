/** The health report in sentences. */

import type { HealthReport } from './schemas.js';

/** Whether there is a model, and what it was made of. */
export function describeModel({ model, training }: HealthReport): string {
  if (!model.trained) {
    return `There is none yet, so no pod is scored. ${training.running ? 'The first training is running.' : ''}`.trim();
  }
  const age = model.age_seconds === null ? '' : ` ${duration(model.age_seconds)} ago`;
  const loaded = model.origin === 'snapshot' ? ' It was loaded at the start.' : '';
  return (
    `Trained${age} on ${counted(model.samples ?? 0, 'sample')} of ${counted(model.pods ?? 0, 'pod')}; ` +
    `looks at ${model.features.join(', ')} and compares by ${model.baseline}.${loaded}`
  );
}

/** How the trainings went. */
export function describeTraining({ training }: HealthReport): string {
  const sentences = [`${counted(training.runs, 'run')}, ${training.failures} failed.`];
  if (training.running) sentences.push('One is running.');
  if (training.last_error !== null) sentences.push(describeError(training.last_error));
  if (training.next_run !== null) sentences.push(`The next one is due at ${training.next_run}.`);
  return sentences.join(' ');
}

/** Whether Prometheus answers. */
export function describePrometheus({ prometheus: { url, up, last_error } }: HealthReport): string {
  if (up === null) return `${url} has not been asked for the current metrics yet.`;
  if (up) return `${url} answers.`;
  return `${url} does not answer as it should. ${last_error === null ? '' : describeError(last_error)}`.trim();
}

/** What the last pass came to. */
export function describeLastPass({ last_pass: pass }: HealthReport): string {
  if (pass === null) return 'There was none yet: nobody has fetched the metrics.';
  const unscored = Object.entries(pass.pods_unscored).map(([reason, pods]) => `${pods} not (${reason})`);
  return [
    `At ${pass.time}: ${[`${counted(pass.pods_scored, 'pod')} scored`, ...unscored].join(', ')}.`,
    ...pass.warnings,
    ...(pass.error === null ? [] : [pass.error]),
  ].join(' ');
}

const describeError = ({ message, time }: { message: string; time: string }) =>
  `The last error, at ${time}: ${message}`;

const counted = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;

/** The largest unit in which a time of so many seconds is at least 2. */
function duration(seconds: number): string {
  if (seconds >= 2 * 86400) return counted(Math.floor(seconds / 86400), 'day');
  if (seconds >= 2 * 3600) return counted(Math.floor(seconds / 3600), 'hour');
  if (seconds >= 2 * 60) return counted(Math.floor(seconds / 60), 'minute');
  return counted(Math.floor(seconds), 'second');
}
