/** The health report in sentences. */

import { counted, formatDuration } from '../../lib/text/format.js';
import type { HealthReport } from './schemas.js';

/** Whether there is a model, and what it was trained on. */
export function describeModel({ model, training }: HealthReport): string {
  if (!model.trained) {
    return `There is no model yet, so no pod is scored. ${training.running ? 'The first training is running.' : ''}`.trim();
  }
  const age = model.age_seconds === null ? '' : ` ${formatDuration(Math.floor(model.age_seconds))} ago`;
  const loaded = model.origin === 'snapshot' ? ' Loaded from the snapshot at start.' : '';
  return (
    `Trained${age} on ${counted(model.samples ?? 0, 'sample')} of ${counted(model.pods ?? 0, 'pod')}; ` +
    `features: ${model.features.join(', ')}; baseline: ${model.baseline}.${loaded}`
  );
}
