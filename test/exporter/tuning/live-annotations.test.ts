import { expect } from 'chai';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { buildAnnotationQuery } from '../../../src/exporter/tuning/annotation-query.js';
import { LiveAnnotations } from '../../../src/exporter/tuning/live-annotations.js';
import { type FakeApi, fakeApi } from '../../support/fake-api.js';
import { rejection } from '../../support/rejection.js';
import { SmallCluster } from '../../support/small-cluster.js';
import { gate } from '../../support/waiting.js';

const NOON = 1_767_268_800;
const QUERY = buildAnnotationQuery({ namespaceRegex: '.*' });
const IGNORED = {
  __name__: 'kube_pod_annotations',
  namespace: 'shop',
  pod: 'cart-0',
  annotation_k8s_anomaly_detector_ignore: 'true',
};

describe('live annotations', () => {
  let api: FakeApi;
  let cluster: SmallCluster;
  let annotations: LiveAnnotations;

  const layers = () => annotations.known.layersOf({ namespace: 'shop', pod: 'cart-0', workload: 'cart' });

  beforeEach(() => {
    cluster = new SmallCluster();
    cluster.annotations.push(IGNORED);
    api = fakeApi(cluster.answer);
    annotations = new LiveAnnotations(api, QUERY);
  });

  it('are asked for once a minute, for the beginning of it', async () => {
    expect(layers()).to.deep.equal([]);
    for (let seconds = 7; seconds < 180; seconds += 5) await annotations.lookUp(NOON + seconds);
    expect(api.asked.map(({ kind, query, endSeconds }) => [kind, query, endSeconds - NOON])).to.deep.equal(
      [0, 60, 120].map((seconds) => ['instant', QUERY, seconds]),
    );
    expect(layers()).to.deep.equal([{ ignore: { value: true, by: 'pod shop/cart-0' } }]);
  });

  it('are forgotten once they are gone', async () => {
    await annotations.lookUp(NOON);
    cluster.annotations.pop();
    await annotations.lookUp(NOON + 60);
    expect(layers()).to.deep.equal([]);
  });

  it('are not forgotten by an incomplete answer, which adds and changes', async () => {
    await annotations.lookUp(NOON);
    const before = cluster.annotations.pop();
    const [deployment, ignore] = [
      { __name__: 'kube_deployment_annotations' },
      'annotation_k8s_anomaly_detector_ignore',
    ];
    cluster.annotations.push({ ...deployment, namespace: 'shop', deployment: 'cart', [ignore]: 'false' });
    api.warnings = ['store 10.0.0.7 is down'];
    await annotations.lookUp(NOON + 60);
    const both = [
      { ignore: { value: false, by: 'deployment shop/cart' } },
      { ignore: { value: true, by: 'pod shop/cart-0' } },
    ];
    expect(layers()).to.deep.equal(both);
    cluster.annotations.pop();
    await annotations.lookUp(NOON + 120);
    expect(layers(), 'another incomplete answer').to.deep.equal(both);
    cluster.annotations.push({ ...before, [ignore]: 'false' });
    await annotations.lookUp(NOON + 180);
    expect(layers().at(-1), 'a value that changed').to.deep.equal({ ignore: { value: false, by: 'pod shop/cart-0' } });
    api.warnings = ['PromQL warning: something about the query'];
    await annotations.lookUp(NOON + 240);
    expect(layers(), 'a complete answer').to.have.lengthOf(1);
  });

  it('stay as they were known when Prometheus fails, and are asked for again in the next minute', async () => {
    await annotations.lookUp(NOON);
    api.before = () => {
      throw new PrometheusError('unavailable', 'Away.');
    };
    await rejection(annotations.lookUp(NOON + 60), PrometheusError);
    expect(layers()).to.deep.equal([{ ignore: { value: true, by: 'pod shop/cart-0' } }]);
    await annotations.lookUp(NOON + 90);
    api.before = () => {};
    cluster.annotations.pop();
    await annotations.lookUp(NOON + 120);
    expect(layers()).to.deep.equal([]);
  });

  it('are asked for again at once as long as nothing is known of them', async () => {
    api.before = () => {
      throw new PrometheusError('unavailable', 'Away.');
    };
    await rejection(annotations.lookUp(NOON), PrometheusError);
    api.before = () => {};
    await annotations.lookUp(NOON + 5);
    expect(layers()).to.deep.equal([{ ignore: { value: true, by: 'pod shop/cart-0' } }]);
  });

  it('are those of the later question where an earlier one is answered last', async () => {
    const held = gate();
    api.before = ({ endSeconds }) => (endSeconds === NOON ? held.opened : undefined);
    const early = annotations.lookUp(NOON);
    await annotations.lookUp(NOON + 60);
    cluster.annotations.pop();
    held.open();
    await early;
    expect(layers()).to.deep.equal([{ ignore: { value: true, by: 'pod shop/cart-0' } }]);
  });
});
