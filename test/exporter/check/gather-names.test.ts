import { expect } from 'chai';
import { Asker } from '../../../src/exporter/check/asker.js';
import { answersOf } from '../../../src/exporter/check/check-definition.js';
import type { Facts } from '../../../src/exporter/check/facts.js';
import { gatherNames } from '../../../src/exporter/check/gather-names.js';
import type { PrometheusServerApi } from '../../../src/exporter/prometheus/api.js';
import { answerOf, emptySource, featuresWith, known, sourcesWith } from '../../support/check-facts.js';
import { type FakeApi, fakeApi } from '../../support/fake-api.js';

const LABELS = { k8s_pod_name: 'cart-0' };

/** A server that has these metrics, with as many series. */
function serverWith(series: Readonly<Record<string, number>>): FakeApi & PrometheusServerApi {
  const api = fakeApi((query) => {
    if (query.includes('target_info')) return [{ labels: {}, value: 3 }];
    const metric = /__name__="([^"]+)"/.exec(query)?.[1] ?? '';
    const value = series[metric] ?? 0;
    return value === 0 ? [] : [{ labels: query.startsWith('topk') ? LABELS : {}, value }];
  });
  return Object.assign(api, { buildInfo: async () => undefined, currentTimeSeconds: async () => 0 });
}

const gone = { cpu: emptySource(), memory: emptySource() };

async function namesOf(
  api: PrometheusServerApi,
  settings: Parameters<typeof gatherNames>[1],
  facts: Pick<Facts, 'sources' | 'features'> = { sources: sourcesWith(gone), features: featuresWith({}) },
) {
  const answers = answersOf(facts);
  const asker = new Asker(api, 0, new AbortController().signal);
  return gatherNames(asker, settings, facts.sources, answers.known ? answers.value : []);
}

describe('the gathering of names', () => {
  it('asks nothing where all is found', async () => {
    const api = serverWith({});
    const facts = { sources: sourcesWith({}), features: featuresWith({}) };
    expect(await namesOf(api, {}, facts)).to.deep.equal({ found: undefined, podsOfTargetInfo: 0, fallingShare: 0 });
    expect(api.asked).to.deep.equal([]);
  });

  it('finds the names of a Collector, however they were translated, and how many pods target_info has', async () => {
    const found = { metricsSource: 'opentelemetry', series: 7, example: LABELS };
    for (const [otlpTranslation, metric] of [
      ['UnderscoreEscapingWithSuffixes', 'container_cpu_time_seconds_total'],
      ['NoUTF8EscapingWithSuffixes', 'container.cpu.time_seconds_total'],
      ['NoTranslation', 'container.cpu.time'],
    ] as const) {
      const api = serverWith({ [metric]: 7 });
      expect((await namesOf(api, {})).found).to.deep.equal({ ...found, metric, otlpTranslation });
      expect((await namesOf(api, {})).podsOfTargetInfo).to.equal(3);
    }
  });

  it('prefers the names of the settings, which may be there without the labels of pods', async () => {
    const api = serverWith({ container_cpu_usage_seconds_total: 5, container_cpu_time_seconds_total: 1 });
    const unlabelled = {
      sources: sourcesWith({}),
      features: featuresWith({ cpu: known(answerOf(0, { unlabelled: 1 })) }),
    };
    for (const facts of [undefined, unlabelled]) {
      expect((await namesOf(api, { metricsSource: 'opentelemetry' }, facts)).found?.series).to.equal(1);
      expect((await namesOf(api, {}, facts)).found?.series).to.equal(5);
    }
  });

  it('looks only among the series of PROMETHEUS_MATCHERS: another cluster may have other names', async () => {
    const api = serverWith({ container_cpu_time_seconds_total: 7 });
    expect((await namesOf(api, { matchers: 'cluster="x"' })).podsOfTargetInfo).to.equal(3);
    expect(api.asked.map(({ query }) => query).filter((query) => !query.includes('{cluster="x",'))).to.deep.equal([]);
  });

  it('finds nothing where there is nothing', async () => {
    expect(await namesOf(serverWith({}), {})).to.deep.equal({ found: undefined, podsOfTargetInfo: 0, fallingShare: 0 });
  });
});
