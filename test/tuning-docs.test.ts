import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { KEY_PREFIX, OBJECT_KINDS, readObjectKeys, TUNING_KEYS } from '../src/exporter/tuning/annotation-query.js';
import { tuningOfObjects } from '../src/exporter/tuning/annotations.js';
import { tuningAt } from '../src/exporter/tuning/tuning.js';
import { parseTuningFile } from '../src/exporter/tuning/tuning-file.js';

const page = readFileSync('docs/tuning.md', 'utf8');

/** The example behind a comment of the page. */
function exampleOf(name: string): string {
  const [, example] = new RegExp(`^<!-- tested: ${name} -->\n\`\`\`yaml\n(.*?)^\`\`\`$`, 'ms').exec(page) ?? [];
  return example ?? expect.fail(`Expected an example ${name}.`);
}

const at = (text: string) => Date.parse(text) / 1000;

describe('the page about tuning', () => {
  it('has annotations that do what it says, as kube-state-metrics exports them', () => {
    const { kind, metadata } = parse(exampleOf('annotations'));
    const exported = Object.entries<string>(metadata.annotations).map(([key, value]) => [
      `annotation_${key.replaceAll(/[^a-z0-9]/g, '_')}`,
      value,
    ]);
    const labels = {
      __name__: `kube_${kind.toLowerCase()}_annotations`,
      namespace: metadata.namespace,
      [kind.toLowerCase()]: metadata.name,
      ...Object.fromEntries(exported),
    };
    const { layersOf, mistakes, objects } = tuningOfObjects(readObjectKeys({ labels: [labels] }));
    expect([objects, mistakes]).to.deep.equal([1, []]);
    const tuned = (time: string) =>
      tuningAt(layersOf({ namespace: 'shop', pod: 'cart-6c9f7d8b5-x2x8p', workload: 'cart' }), at(time));
    expect(tuned('2026-11-29T21:59:00Z')).to.include({
      sensitivity: 8,
      mutedBy: 'deployment shop/cart',
      // The window of the weekend, which lasts until midnight in Berlin.
      mutedUntilSeconds: at('2026-11-29T23:00:00Z'),
    });
    expect(tuned('2026-11-30T12:00:00Z')).to.include({ sensitivity: 8, mutedBy: undefined });
    expect(tuned('2026-12-01T09:00:00Z')).to.include({ mutedUntilSeconds: at('2026-12-01T10:00:00Z') });
  });

  it('has an allow-list with every key of every kind of object, and no other', () => {
    const list: string[] = parse(exampleOf('allow-list'))['kube-state-metrics'].metricAnnotationsAllowList;
    const keys = TUNING_KEYS.map((key) => `${KEY_PREFIX}${key}`).join(',');
    expect([...list].sort()).to.deep.equal(OBJECT_KINDS.map((kind) => `${kind}s=[${keys}]`).sort());
  });

  it('has a file that does what it says', () => {
    const { layersOf } = parseTuningFile(exampleOf('file'), 'tuning.yaml');
    const tuned = (namespace: string, workload: string, time: string) =>
      tuningAt(layersOf({ namespace, workload, pod: `${workload}-0` }), at(time));
    expect(tuned('ci-7', 'runner', '2026-12-01T12:00:00Z')).to.include({ ignoredBy: 'tuning.yaml:2:5' });
    expect(tuned('shop', 'cart', '2026-12-01T12:00:00Z')).to.include({ sensitivity: 8, mutedBy: undefined });
    // Saturday, 22:30 in Berlin.
    expect(tuned('shop', 'cart', '2026-12-05T21:30:00Z').mutedUntilSeconds).to.equal(at('2026-12-05T23:00:00Z'));
    expect(tuned('shop', 'cart', '2026-11-30T01:00:00Z').mutedUntilSeconds).to.equal(at('2026-11-30T02:00:00Z'));
    expect(tuned('shop', 'till', '2026-11-30T01:00:00Z').mutedBy).to.equal(undefined);
  });

  it('names every key', () => {
    for (const key of TUNING_KEYS) expect(page).to.include(`| \`${KEY_PREFIX}${key}\` |`);
  });

  it('is what the runbooks of the alerts about pods lead to', () => {
    for (const alert of ['PodAnomalous', 'WorkloadAnomalous']) {
      expect(readFileSync(`docs/runbooks/${alert}.md`, 'utf8')).to.include('](../tuning.md)');
    }
  });
});
