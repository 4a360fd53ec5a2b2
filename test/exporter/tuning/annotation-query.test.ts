import { expect } from 'chai';
import { promqlMistakes } from '../../../src/exporter/features/queries/promql.js';
import { sourceSelectors } from '../../../src/exporter/features/queries/selectors.js';
import { narrowToNamespaces } from '../../../src/exporter/sharding/narrow.js';
import { buildAnnotationQuery, type ObjectKey, readObjectKeys } from '../../../src/exporter/tuning/annotation-query.js';

const ignoreOf = (metric: string, labels: Readonly<Record<string, string>>) => ({
  __name__: metric,
  [`${metric.endsWith('labels') ? 'label' : 'annotation'}_k8s_anomaly_detector_ignore`]: 'true',
  ...labels,
});
const textOf = ({ kind, namespace, name, source, key, value }: ObjectKey) =>
  `${kind} ${namespace}/${name} ${source} ${key}=${value}`;
const read = (...labels: Readonly<Record<string, string>>[]) => readObjectKeys({ labels }).map(textOf);

describe('the query for annotations', () => {
  it('asks for each key as an annotation and as a label, of all kinds of objects', () => {
    const query = buildAnnotationQuery({ namespaceRegex: '.*' });
    const kinds = '(namespace|cronjob|daemonset|deployment|job|statefulset|pod)';
    expect(query.split(' or ')).to.deep.equal([
      `{__name__=~"kube_${kinds}_annotations",annotation_k8s_anomaly_detector_ignore!=""}`,
      `{__name__=~"kube_${kinds}_annotations",annotation_k8s_anomaly_detector_sensitivity!=""}`,
      `{__name__=~"kube_${kinds}_annotations",annotation_k8s_anomaly_detector_mute_until!=""}`,
      `{__name__=~"kube_${kinds}_annotations",annotation_k8s_anomaly_detector_mute!=""}`,
      `{__name__=~"kube_${kinds}_labels",label_k8s_anomaly_detector_ignore!=""}`,
      `{__name__=~"kube_${kinds}_labels",label_k8s_anomaly_detector_sensitivity!=""}`,
      `{__name__=~"kube_${kinds}_labels",label_k8s_anomaly_detector_mute_until!=""}`,
      `{__name__=~"kube_${kinds}_labels",label_k8s_anomaly_detector_mute!=""}`,
    ]);
    expect(promqlMistakes(query, ['namespace'])).to.deep.equal([]);
  });

  it('has the namespaces and the matchers of the features in each of its selectors', () => {
    const query = buildAnnotationQuery({ namespaceRegex: 'a"|b', matchers: 'cluster="x"' });
    const selectors = sourceSelectors(query).map(({ text }) => text);
    expect(selectors).to.have.length(8);
    for (const selector of selectors) {
      expect(selector).to.match(/^\{cluster="x",/);
      expect(selector).to.include(',namespace=~"a\\"|b"');
    }
  });

  it('is narrowed to the namespaces of a shard where it names namespaces, and stays short where it names none', () => {
    const some = narrowToNamespaces(buildAnnotationQuery({ namespaceRegex: 'shop.*' }), ['shop']);
    expect(some.match(/namespace=~"shop",/g)).to.have.length(8);
    const all = buildAnnotationQuery({ namespaceRegex: '.*' });
    expect(narrowToNamespaces(all, ['shop'])).to.equal(all);
  });
});

describe('the keys of objects', () => {
  it('are read by kind, and jobs by the label that kube-state-metrics has for them', () => {
    const own = ['pod', 'deployment', 'statefulset', 'daemonset', 'cronjob'].map((kind) =>
      ignoreOf(`kube_${kind}_annotations`, { namespace: 'shop', [kind]: 'cart' }),
    );
    const job = ignoreOf('kube_job_annotations', { namespace: 'shop', job_name: 'cart', job: 'kube-state-metrics' });
    const namespace = ignoreOf('kube_namespace_labels', { namespace: 'shop' });
    expect(read(...own, job, namespace)).to.deep.equal([
      'namespace shop/shop label ignore=true',
      'cronjob shop/cart annotation ignore=true',
      'daemonset shop/cart annotation ignore=true',
      'deployment shop/cart annotation ignore=true',
      'job shop/cart annotation ignore=true',
      'statefulset shop/cart annotation ignore=true',
      'pod shop/cart annotation ignore=true',
    ]);
  });

  it('belong to the object of the metric, whatever labels the scrape adds', () => {
    const scrape = { namespace: 'shop', pod: 'kube-state-metrics-0', deployment: 'kube-state-metrics' };
    expect(read(ignoreOf('kube_statefulset_annotations', { ...scrape, statefulset: 'db' }))).to.deep.equal([
      'statefulset shop/db annotation ignore=true',
    ]);
    expect(read(ignoreOf('kube_namespace_labels', scrape))).to.deep.equal(['namespace shop/shop label ignore=true']);
  });

  it('are all those of a series, and none where the metric, the name or the value is missing', () => {
    const labels = {
      __name__: 'kube_pod_annotations',
      namespace: 'shop',
      pod: 'cart-0',
      annotation_k8s_anomaly_detector_mute_until: '2026-11-29T22:00:00Z',
      annotation_k8s_anomaly_detector_sensitivity: '8',
      annotation_k8s_anomaly_detector_mute: '',
      label_k8s_anomaly_detector_ignore: 'of another metric',
    };
    expect(read(labels)).to.deep.equal([
      'pod shop/cart-0 annotation sensitivity=8',
      'pod shop/cart-0 annotation mute-until=2026-11-29T22:00:00Z',
    ]);
    const ignored = ignoreOf('kube_pod_annotations', { namespace: 'shop', pod: 'cart-0' });
    for (const lost of ['__name__', 'namespace', 'pod']) {
      const { [lost]: _, ...rest } = ignored as Record<string, string>;
      expect(read(rest), lost).to.deep.equal([]);
    }
    expect(read({ ...ignored, __name__: 'kube_node_annotations' })).to.deep.equal([]);
  });

  it('come in one order whatever the order of the answer, the annotation before the label', () => {
    const series = [
      ignoreOf('kube_pod_labels', { namespace: 'shop', pod: 'b' }),
      ignoreOf('kube_pod_annotations', { namespace: 'shop', pod: 'b', instance: 'ksm-1' }),
      { ...ignoreOf('kube_pod_annotations', { namespace: 'shop', pod: 'b', instance: 'ksm-2' }) },
      ignoreOf('kube_pod_annotations', { namespace: 'shop', pod: 'a' }),
    ];
    const differing = { ...series[2], annotation_k8s_anomaly_detector_ignore: 'false' };
    const expected = [
      'pod shop/a annotation ignore=true',
      'pod shop/b annotation ignore=false',
      'pod shop/b label ignore=true',
    ];
    expect(read(...series, differing)).to.deep.equal(expected);
    expect(read(...[...series, differing].reverse())).to.deep.equal(expected);
  });
});
