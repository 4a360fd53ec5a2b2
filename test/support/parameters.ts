/** Parameters of models, for tests. */

import { parseSettings } from '../../src/exporter/config/parse.js';
import type { ModelParameters } from '../../src/exporter/model/fit.js';
import { modelParameters } from '../../src/exporter/training/job.js';

/** Those of the default settings. */
export const DEFAULT_PARAMETERS: ModelParameters = modelParameters(
  parseSettings({ PROMETHEUS_URL: 'http://prometheus' }).settings,
);

/** A forest that is quick to grow. */
export const QUICK_PARAMETERS: ModelParameters = { ...DEFAULT_PARAMETERS, estimators: 25, maxSamples: 128 };
