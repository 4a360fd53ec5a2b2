/** What a server works for one query, however many instants are asked for, compressed and not. */

import { buildCatalog } from '../../../src/exporter/features/catalog.js';
import { buildPhaseQueries } from '../../../src/exporter/features/pod-phase.js';
import { type Measurement, summarize } from '../measurement.js';
import { NOW_SECONDS, type ServerKind, startDatabase } from './database.js';
import { type Asked, askInTurn, PLAIN_QUERIES } from './plain-service.js';
import { processorSeconds, untilQuiet } from './server-work.js';

const STEP_SECONDS = 60;

/** The newest alone, the newest and the one before, and as many as a pass scores by. */
const INSTANTS = [1, 2, 11] as const;

const ENCODINGS = ['gzip', 'identity'] as const;

/** The queries of a scrape, and those of the plain service, by what they are about. */
function usualQueries(): Record<string, string> {
  const scope = { namespaceRegex: '.*' };
  const features = buildCatalog({ ...scope, podLabel: 'pod', cpuRateWindow: '1m' });
  const [cpu = '', memory = '', restarts = ''] = PLAIN_QUERIES;
  return {
    ...Object.fromEntries(features.map(({ name, query }) => [name, query])),
    phases: buildPhaseQueries(scope).idle,
    'cpu, plain service': cpu,
    'memory, plain service': memory,
    'restarts, plain service': restarts,
  };
}

/**
 * @param queries in place of the usual ones: PromQL.
 * @param rounds how often each is asked, in turn with the others.
 */
export async function measureQueries(
  kind: ServerKind,
  pods: number,
  queries: readonly string[],
  rounds: number,
  log: (line: string) => void,
): Promise<Measurement[]> {
  const asked = queries.length > 0 ? Object.fromEntries(queries.map((query) => [query, query])) : usualQueries();
  const server = await startDatabase(kind, pods, log);
  const seconds = new Map<string, number[]>();
  try {
    for (let round = -1; round < rounds; round++) {
      for (const [name, query] of Object.entries(asked)) {
        for (const instants of INSTANTS) {
          for (const encoding of ENCODINGS) {
            const what = `${name}: ${instants} ${instants === 1 ? 'instant' : 'instants'}, ${encoding}`;
            await untilQuiet(server.pid);
            const before = processorSeconds(server.pid);
            await askInTurn(server.url, [overInstants(query, instants)], encoding);
            await untilQuiet(server.pid);
            // The first round warms up.
            if (round >= 0) seconds.set(what, [...(seconds.get(what) ?? []), processorSeconds(server.pid) - before]);
          }
        }
      }
    }
  } finally {
    await server.close();
  }
  return [...seconds].map(([what, values]) => summarize(`${kind}: ${what}`, pods, 'seconds', values));
}

function overInstants(query: string, instants: number): Asked {
  if (instants === 1) return { query, timeSeconds: NOW_SECONDS };
  const startSeconds = NOW_SECONDS - (instants - 1) * STEP_SECONDS;
  return { query, startSeconds, endSeconds: NOW_SECONDS, stepSeconds: STEP_SECONDS };
}
