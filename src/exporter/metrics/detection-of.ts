/** What the gauges of pods are read from. */

import type { Detection } from '../detection/detection.js';
import type { MetricSources } from './module.js';

/** The detection of the scrape that is being rendered; `undefined` when its pass came to none. Does not reject. */
export async function detectionOf(sources: MetricSources): Promise<Detection | undefined> {
  const outcome = await sources.pass();
  return outcome.kind === 'detection' ? outcome.detection : undefined;
}
