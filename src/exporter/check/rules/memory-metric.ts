import { formatBytes, formatPercent, listed } from '../../../lib/text/format.js';
import {
  MEMORY_METRICS,
  MEMORY_WORDS,
  type MemoryMetric,
  memoryMetricName,
  type SourceNames,
} from '../../features/queries/template.js';
import { checkOf, type Judgement, NO_SERIES } from '../check-definition.js';

/** The share of page cache from which on memory says more about files than about the program. */
const NOTABLE_CACHE_SHARE = 0.2;

const WHY = 'what the kubelet evicts by, and what `kubectl top` shows';

/** Which metric of memory counts, and which one should. */
export const memoryMetric = checkOf(
  'memory_metric',
  ({ memory }) => memory,
  ({ used, bytes }, _, conditions): Judgement => {
    const described = (metric: MemoryMetric) => describe(metric, conditions);
    const [first] = used;
    if (first === undefined) {
      return { severity: 'ok', summary: 'No feature reads the memory of containers as cAdvisor has it.' };
    }
    // The check `series` says what to do.
    if (bytes[first] === 0) return NO_SERIES;
    const others = (Object.keys(MEMORY_METRICS) as MemoryMetric[]).filter(
      (metric) => !used.includes(metric) && bytes[metric] > 0,
    );
    const have =
      `Memory is ${listed(used.map(described))}; Prometheus ` +
      (others.length === 0 ? 'has no other metric of it.' : `also has ${listed(others.map(described))}.`);
    if (used.includes('working_set')) return { severity: 'ok', summary: `${have} The working set is ${WHY}.` };
    if (bytes.working_set === 0) return { severity: 'ok', summary: have };
    const cacheShare = 1 - bytes.working_set / bytes[first];
    const better = `MEMORY_METRIC=working_set takes ${WHY}.`;
    if (first !== 'usage' || cacheShare < NOTABLE_CACHE_SHARE) {
      return { severity: 'ok', summary: `${have} ${better}` };
    }
    const cache = formatBytes(bytes.usage - bytes.working_set);
    return {
      severity: 'warning',
      summary: `${have} ${cache} of ${formatBytes(bytes.usage)} (${formatPercent(cacheShare)}) are inactive page cache.`,
      meaning:
        'A pod that reads or writes files looks as if it took more memory, though the kernel takes this back when memory is ' +
        'short. Its rise may be flagged, and a leak may hide in it.',
      advice: `Set MEMORY_METRIC=working_set: it is ${WHY}. In a feature file, ask for that metric.`,
    };
  },
);

const describe = (metric: MemoryMetric, names: SourceNames) =>
  `${memoryMetricName(metric, names)} (${MEMORY_WORDS[metric]})`;
