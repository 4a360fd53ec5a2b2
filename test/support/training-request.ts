/** What the service asks of a training, on the small cluster. */

import type { TrainingRequest } from '../../src/exporter/training/job.js';
import { QUICK_PARAMETERS } from './parameters.js';
import { FEATURES, OWNER_QUERIES } from './small-cluster.js';

/** A training on the hour up to `nowSeconds` (Unix time), a sample a minute, a quarter of an hour before the next one. */
export function hourRequest(nowSeconds: number, changes: Partial<TrainingRequest> = {}): TrainingRequest {
  return {
    features: FEATURES,
    ownerQueries: OWNER_QUERIES,
    parameters: QUICK_PARAMETERS,
    lookbackSeconds: 3600,
    stepSeconds: 60,
    nowSeconds,
    untilNextTrainingSeconds: 900,
    ...changes,
  };
}
