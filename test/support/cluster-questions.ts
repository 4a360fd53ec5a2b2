/** What the exporter asks Prometheus about a cluster, asked of a real one about now, with what it understands. */

import type { PodContext } from '../../src/exporter/context/pod-context.js';
import { contextQueries, LIMIT_PARTS } from '../../src/exporter/context/queries.js';
import { readContexts } from '../../src/exporter/context/read-answers.js';
import { buildCatalog } from '../../src/exporter/features/catalog.js';
import { buildPhaseQueries, type IdleReason, idlePodsIn } from '../../src/exporter/features/pod-phase.js';
import { type NamedPod, podKey } from '../../src/exporter/features/table.js';
import { buildOwnerQueries, type Owners, queryOwners } from '../../src/exporter/features/workload.js';
import type { QueryResult } from '../../src/exporter/prometheus/api.js';
import { PrometheusClient } from '../../src/exporter/prometheus/client.js';
import { buildAnnotationQuery, type ObjectKey, readObjectKeys } from '../../src/exporter/tuning/annotation-query.js';
import { connectionTo } from './connection-to.js';

const OPTIONS = { namespaceRegex: '.*', podLabel: 'pod', cpuRateWindow: '1m' };
const FEATURES = buildCatalog(OPTIONS);

export class ClusterQuestions {
  readonly #client: PrometheusClient;

  constructor(url: string) {
    this.#client = new PrometheusClient(connectionTo(url));
  }

  /** @throws {PrometheusError} where it does not answer. */
  ask(query: string): Promise<QueryResult> {
    return this.#client.query({ query, timeSeconds: Date.now() / 1000, signal: AbortSignal.timeout(20_000) });
  }

  owners(): Promise<Owners> {
    return queryOwners(this.#client, buildOwnerQueries(OPTIONS), Date.now() / 1000, AbortSignal.timeout(20_000));
  }

  async idlePods(): Promise<ReadonlyMap<string, IdleReason>> {
    return idlePodsIn(await this.ask(buildPhaseQueries(OPTIONS).idle));
  }

  /** What the query of a feature answers of a pod, by container where it has several series. */
  async feature(name: string, { namespace, pod }: NamedPod): Promise<Readonly<Record<string, number>>> {
    const { query = '' } = FEATURES.find((feature) => feature.name === name) ?? {};
    const { labels, offsets, values } = await this.ask(query);
    return Object.fromEntries(
      labels.flatMap((own, series) =>
        own.namespace === namespace && own.pod === pod
          ? [[own.container ?? '', values[offsets[series] as number] as number]]
          : [],
      ),
    );
  }

  async context(pod: NamedPod): Promise<PodContext | undefined> {
    return this.#contextOf(pod, contextQueries([pod], OPTIONS));
  }

  /** The limit with which the forecast compares the memory of a pod, in bytes; `undefined` where it has none. */
  async memoryLimit(pod: NamedPod): Promise<number | undefined> {
    return (await this.#contextOf(pod, contextQueries([pod], OPTIONS, LIMIT_PARTS)))?.limits.memory;
  }

  async #contextOf(pod: NamedPod, queries: readonly string[]): Promise<PodContext | undefined> {
    const answers = await Promise.all(queries.map((query) => this.ask(query)));
    return readContexts(answers, [pod], OPTIONS).get(podKey(pod.namespace, pod.pod));
  }

  async objectKeys(): Promise<readonly ObjectKey[]> {
    return readObjectKeys(await this.ask(buildAnnotationQuery(OPTIONS)));
  }
}
