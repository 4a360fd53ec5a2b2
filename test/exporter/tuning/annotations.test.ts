import { expect } from 'chai';
import type { PodIdentity } from '../../../src/exporter/features/table.js';
import {
  KEY_SOURCES,
  OBJECT_KINDS,
  type ObjectKey,
  TUNING_KEYS,
} from '../../../src/exporter/tuning/annotation-query.js';
import { NO_ANNOTATIONS, tuningOfObjects } from '../../../src/exporter/tuning/annotations.js';
import { tuningAt } from '../../../src/exporter/tuning/tuning.js';

const NOON = 1_767_268_800;
const CART: PodIdentity = { namespace: 'shop', pod: 'cart-0', workload: 'cart' };

/** `deployment shop/cart ignore=true`, with `label` at the end where it is one; in the order of `readObjectKeys`. */
function keysOf(...texts: readonly string[]): readonly ObjectKey[] {
  const rank = ({ kind, key, source }: ObjectKey) =>
    [OBJECT_KINDS.indexOf(kind), TUNING_KEYS.indexOf(key), KEY_SOURCES.indexOf(source)].join();
  return texts
    .map((text): ObjectKey => {
      const { kind, namespace, name, key, value, source } =
        /^(?<kind>\w+) (?<namespace>[\w-]+)(?:\/(?<name>[\w-]+))? (?<key>[\w-]+)=(?<value>.*?)(?: \((?<source>label)\))?$/.exec(
          text,
        )?.groups ?? expect.fail(text);
      return { kind, namespace, name: name ?? namespace, key, value, source: source ?? 'annotation' } as ObjectKey;
    })
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}
const tuned = (pod: PodIdentity, ...texts: readonly string[]) =>
  tuningAt(tuningOfObjects(keysOf(...texts)).layersOf(pod), NOON);

describe('the tuning by annotations', () => {
  it('is nothing without annotations', () => {
    expect(tuningOfObjects([])).to.equal(NO_ANNOTATIONS);
    expect(NO_ANNOTATIONS.layersOf(CART)).to.deep.equal([]);
  });

  it('comes from the pod, its owner or its namespace, and from nobody else', () => {
    for (const kind of ['cronjob', 'daemonset', 'deployment', 'job', 'statefulset']) {
      expect(tuned(CART, `${kind} shop/cart ignore=true`), kind).to.include({ ignoredBy: `${kind} shop/cart` });
      expect(tuned(CART, `${kind} shop/cart-0 ignore=true`), kind).to.include({ ignoredBy: undefined });
      expect(tuned(CART, `${kind} pay/cart ignore=true`), kind).to.include({ ignoredBy: undefined });
    }
    expect(tuned(CART, 'pod shop/cart-0 ignore=true')).to.include({ ignoredBy: 'pod shop/cart-0' });
    expect(tuned(CART, 'pod shop/cart ignore=true')).to.include({ ignoredBy: undefined });
    expect(tuned(CART, 'namespace shop ignore=true')).to.include({ ignoredBy: 'namespace shop' });
    expect(tuned(CART, 'namespace pay ignore=true')).to.include({ ignoredBy: undefined });
  });

  it('comes from the Job of a CronJob, for its pods alone', () => {
    const pod = (name: string) => ({ namespace: 'shop', pod: name, workload: 'report' });
    const texts = ['job shop/report-29401234 ignore=true', 'cronjob shop/report sensitivity=8'];
    expect(tuned(pod('report-29401234-x7k2p'), ...texts)).to.include({
      ignoredBy: 'job shop/report-29401234',
      sensitivity: 8,
    });
    expect(tuned(pod('report-29401235-x7k2p'), ...texts)).to.include({ ignoredBy: undefined, sensitivity: 8 });
    // Of an Indexed Job, with the index before the random end.
    expect(tuned(pod('report-29401234-0-x7k2p'), ...texts)).to.include({ ignoredBy: 'job shop/report-29401234' });
  });

  it('is that of the most specific object, and the annotation before the label', () => {
    const all = ['pod shop/cart-0 ignore=false', 'deployment shop/cart sensitivity=8', 'namespace shop ignore=true'];
    expect(tuned(CART, ...all, 'namespace shop sensitivity=2')).to.include({ ignoredBy: undefined, sensitivity: 8 });
    const both = ['deployment shop/cart sensitivity=8', 'deployment shop/cart sensitivity=2 (label)'];
    expect(tuned(CART, ...both)).to.include({ sensitivity: 8 });
  });

  it('mutes until a time, and in windows', () => {
    for (const value of [String(NOON + 60), '2026-01-01T12:01:00Z', '2026-01-01T13:01:00+01:00']) {
      expect(tuned(CART, `deployment shop/cart mute-until=${value}`), value).to.include({
        mutedBy: 'deployment shop/cart',
        mutedUntilSeconds: NOON + 60,
      });
    }
    expect(tuned(CART, `deployment shop/cart mute-until=${NOON}`)).to.include({ mutedBy: undefined });
    // New Year's Day of 2026 is a Thursday.
    const mute = 'namespace shop mute=friday; thursday 13:00-14:00 Europe/Berlin';
    expect(tuned(CART, mute)).to.include({ mutedBy: 'namespace shop', mutedUntilSeconds: NOON + 3600 });
  });

  it('does not count an invalid value, and names the object and the key', () => {
    const invalid = [
      'deployment shop/cart ignore=yes',
      'deployment shop/cart sensitivity=0.5',
      'deployment shop/cart mute-until=tomorrow',
      'deployment shop/cart mute=22-24',
      'namespace shop sensitivity=41',
      'pod shop/cart-0 sensitivity=',
    ];
    const { mistakes, objects, layersOf, ends } = tuningOfObjects(keysOf(...invalid));
    expect(layersOf(CART)).to.deep.equal([]);
    expect(objects).to.equal(3);
    expect(ends).to.deep.equal([]);
    expect(mistakes.map(({ object }) => object)).to.deep.equal([
      'namespace shop',
      ...Array.from({ length: 4 }, () => 'deployment shop/cart'),
      'pod shop/cart-0',
    ]);
    expect(mistakes[1]?.sentence).to.equal('k8s-anomaly-detector/ignore: expected `true` or `false`, got "yes"');
  });

  it('takes the label where the annotation is invalid', () => {
    const both = ['deployment shop/cart ignore=yes', 'deployment shop/cart ignore=true (label)'];
    expect(tuned(CART, ...both)).to.include({ ignoredBy: 'deployment shop/cart' });
  });

  it('tells the ends of muting', () => {
    const { ends } = tuningOfObjects(keysOf(`namespace shop mute-until=${NOON}`, 'pod shop/cart-0 mute=always'));
    expect(ends).to.deep.equal([{ object: 'namespace shop', untilSeconds: NOON }]);
  });
});
