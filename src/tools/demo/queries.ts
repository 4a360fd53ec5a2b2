/** The queries that the simulated Prometheus answers, and the answers from the world. */

import { buildCatalog } from '../../exporter/features/catalog.js';
import { buildPhaseQueries, PHASE_METRIC } from '../../exporter/features/pod-phase.js';
import { durationSeconds } from '../../exporter/features/queries/selectors.js';
import { buildAnnotationQuery } from '../../exporter/tuning/annotation-query.js';
import type { World } from '../simulation/cluster.js';
import type { ContainerState, PodState } from '../simulation/pod-state.js';
import { contextEvaluation } from './context-queries.js';
import { metricFamilies, RESTART_METRICS } from './exposition.js';
import { forecastEvaluation } from './forecast-queries.js';
import { anchored, unquoted } from './literals.js';
import type { MetricSample } from './metric-family.js';

/** The samples of an instant vector at a time in Unix seconds. */
export type Evaluate = (timeSeconds: number) => readonly MetricSample[];

/** From a query to its evaluation; `undefined` if the query is not known. */
export type ResolveQuery = (query: string) => Evaluate | undefined;

/**
 * Answers the built-in queries of the catalog, for any namespaces and rate window, the query for pods in which nothing runs, the plain
 * selectors of kube-state-metrics' owners, with or without a matcher for the namespace, and the queries for annotations, for
 * firing alerts, for the context of pods, and for forecasts of their memory.
 * Each may be restricted to some pods. The questions of `check` are not answered.
 *
 * PromQL is not evaluated: the namespaces and the window are cut out of the query; if the catalog makes exactly this
 * query from them, the query is known.
 */
export function worldQueries(world: World): ResolveQuery {
  const resolve: ResolveQuery = (query) => {
    const other = contextEvaluation(query, world) ?? forecastEvaluation(query, world);
    if (other !== undefined) return other;
    const restriction = POD_RESTRICTION.exec(query)?.groups;
    if (restriction !== undefined) {
      const { matchers = '', namespaces: some = '', pods: names = '' } = restriction;
      const evaluate = resolve(query.replaceAll(matchers, ''));
      const [isNamespace, isPod] = [anchored(some), anchored(names)];
      if (evaluate === undefined || isNamespace === undefined || isPod === undefined) return undefined;
      return (time) =>
        evaluate(time).filter(({ labels }) => isNamespace.test(labels.namespace ?? '') && isPod.test(labels.pod ?? ''));
    }
    const namespaceRegex = /namespace=~"((?:[^"\\]|\\.)*)"/.exec(query)?.[1] ?? '.*';
    const isNamespace = anchored(namespaceRegex);
    if (isNamespace === undefined) return undefined;
    // There are no alert rules here, and no annotations.
    if (query.startsWith('ALERTS{')) return () => [];
    if (query === buildAnnotationQuery({ namespaceRegex: unquoted(namespaceRegex) })) return () => [];
    const pods = (time: number) => world.pods(time).filter(({ namespace }) => isNamespace.test(namespace));

    const [, owners] = /^(kube_(?:pod|replicaset|job)_owner)(?:\{namespace=~"(?:[^"\\]|\\.)*"\})?$/.exec(query) ?? [];
    if (owners !== undefined) return (time) => metricSamples({ ...world, pods }, owners, time);

    const isForIdle = query === buildPhaseQueries({ namespaceRegex: unquoted(namespaceRegex) }).idle;
    if (isForIdle) return (time) => metricSamples({ ...world, pods }, PHASE_METRIC, time).filter(isOfIdle);

    const cpuRateWindow = /\[([0-9a-z]+)\]/.exec(query)?.[1] ?? '1m';
    const catalog = buildCatalog({
      namespaceRegex: unquoted(namespaceRegex),
      podLabel: 'pod',
      cpuRateWindow,
    });
    switch (catalog.find((feature) => feature.query === query)?.name) {
      case 'cpu': {
        const window = durationSeconds(cpuRateWindow) ?? 60;
        return (time) => perPod(pods(time), cpuRates(pods(time - window), window));
      }
      case 'memory':
        return (time) => perPod(pods(time), ({ cgroups }) => cgroups.map(({ memoryBytes }) => memoryBytes));
      case 'restarts':
        return (time) =>
          RESTART_METRICS.flatMap((metric) => metricSamples({ ...world, pods }, metric, time).map(ofContainer));
      default:
        return undefined;
    }
  };
  return resolve;
}

const ofContainer = ({ labels: { namespace = '', pod = '', container = '' }, value }: MetricSample) => ({
  labels: { namespace, pod, container },
  value,
});

const isOfIdle = ({ labels, value }: MetricSample) =>
  value === 1 && /^(?:Pending|Succeeded|Failed)$/.test(labels.phase ?? '');

/** The matchers that the status page puts into each selector to query some pods only. */
const POD_RESTRICTION = /\{(?<matchers>namespace=~"(?<namespaces>(?:[^"\\]|\\.)*)",pod=~"(?<pods>(?:[^"\\]|\\.)*)",)/;

/** For each pod the sum of the largest values of its containers. A pod without a value is left out. */
function perPod(
  pods: readonly PodState[],
  values: (container: ContainerState, pod: PodState) => readonly number[],
): MetricSample[] {
  return pods.flatMap((state) => {
    const ofContainers = state.containers.map((container) => values(container, state)).filter((of) => of.length > 0);
    if (ofContainers.length === 0) return [];
    const value = ofContainers.reduce((sum, of) => sum + Math.max(...of), 0);
    return [{ labels: { namespace: state.namespace, pod: state.pod }, value }];
  });
}

/**
 * Cores of each run of a container over the window that began with `before`. As with `rate()`, the increase of a counter
 * that began within the window is divided by the whole window, so a new container seems idle at first.
 */
function cpuRates(before: readonly PodState[], windowSeconds: number) {
  const counters = new Map<string, number>();
  for (const { uid, containers } of before) {
    for (const { name, cgroups } of containers) {
      for (const { attempt, cpuSeconds } of cgroups) counters.set(`${uid}/${name}/${attempt}`, cpuSeconds);
    }
  }
  return ({ name, cgroups }: ContainerState, { uid }: PodState) =>
    cgroups.map(({ attempt, cpuSeconds }) => {
      return (cpuSeconds - (counters.get(`${uid}/${name}/${attempt}`) ?? 0)) / windowSeconds;
    });
}

function metricSamples(world: World, name: string, timeSeconds: number): readonly MetricSample[] {
  const samples = metricFamilies(world, timeSeconds).find((family) => family.name === name)?.samples ?? [];
  return samples.map(({ labels, value }) => ({ labels: { __name__: name, ...labels }, value }));
}
