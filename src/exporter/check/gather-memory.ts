/** Asks which metrics of memory there are, and how large each is: sums, not series. */

import { MEMORY_METRICS, type MemoryMetric, memoryMetricName, type SourceNames } from '../features/queries/template.js';
import type { Asker } from './asker.js';
import type { MemoryFacts, Source } from './facts.js';

/** Every metric in the place of the one that a feature reads, with its matchers. Nothing is asked where none reads one. */
export async function gatherMemory(asker: Asker, names: SourceNames, sources: readonly Source[]): Promise<MemoryFacts> {
  const metrics = (Object.keys(MEMORY_METRICS) as MemoryMetric[]).map(
    (metric) => [metric, memoryMetricName(metric, names)] as const,
  );
  const used = metrics.flatMap(([setting, metric]) => {
    const source = sources.find(({ selector }) => selector.metric === metric);
    return source === undefined ? [] : [{ setting, metric, selector: source.selector.text }];
  });
  const bytes: Record<MemoryMetric, number> = { usage: 0, working_set: 0, rss: 0 };
  const [first] = used;
  if (first !== undefined) {
    for (const [setting, metric] of metrics) {
      bytes[setting] = await asker.number(`sum(${first.selector.replace(first.metric, metric)})`);
    }
  }
  return { used: used.map(({ setting }) => setting), bytes };
}
