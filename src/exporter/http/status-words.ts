/** The health report in sentences. */

import { counted, formatDuration } from '../../lib/text/format.js';
import type { HealthReport } from './schemas.js';

/** Whether there is a model, and what it was made of. */
export function describeModel({ model, training }: HealthReport): string {
  if (!model.trained) {
    return `There is none yet, so no pod is scored. ${training.running ? 'The first training is running.' : ''}`.trim();
  }
  const age = model.age_seconds === null ? '' : ` ${formatDuration(model.age_seconds)} ago`;
  const loaded = model.origin === 'snapshot' ? ' It was loaded at the start.' : '';
  return (
    `Trained${age} on ${counted(model.samples ?? 0, 'sample')} of ${counted(model.pods ?? 0, 'pod')}; ` +
    `looks at ${model.features.join(', ')} and compares by ${model.baseline}.${loaded}`
  );
}
