import { expect } from 'chai';
import type { Detection } from '../../../src/exporter/detection/detection.js';
import { GrowingPods } from '../../../src/exporter/forecast/growing-pods.js';
import { memoryDetection } from '../../support/memory-detection.js';

const NOON = 1_767_268_800;

/** A detection of pods with these bytes. */
const detectionOf = (minutes: number, memory: Readonly<Record<string, number>>, muted: readonly string[] = []) =>
  memoryDetection(NOON + 60 * minutes, Object.keys(memory).sort(), (pod) => memory[pod] as number, muted);

const NONE: ReadonlySet<string> = new Set();
const unknown = () => Number.NaN;

describe('pods whose memory grows', () => {
  let growing: GrowingPods;

  const observe = (minutes: number, memory: Readonly<Record<string, number>>) => {
    const detection = detectionOf(minutes, memory);
    growing.observe(detection, 0);
    return detection;
  };
  const next = (detection: Detection, options: Partial<Parameters<GrowingPods['next']>[2]> = {}) =>
    growing.next(detection, 0, { always: NONE, hourAgo: unknown, most: 10, ...options }).map(({ pod }) => pod);

  beforeEach(() => {
    growing = new GrowingPods();
  });

  it('are those with more than an hour ago, the steepest first', () => {
    const detection = observe(0, { a: 103, b: 110, c: 100, d: 90 });
    expect(next(detection, { hourAgo: () => 100 })).to.deep.equal(['b', 'a']);
    expect(next(detection)).to.deep.equal([]);
  });

  it('are those that grow over the day, too slowly for an hour', () => {
    let detection = observe(0, { slow: 100, steady: 100, sawtooth: 100 });
    for (let hour = 1; hour <= 12; hour++) {
      detection = observe(60 * hour, { slow: 100 + 0.3 * hour, steady: 100, sawtooth: hour === 8 ? 120 : 103 });
    }
    expect(next(detection, { hourAgo: (row) => detection.table.at(row, 0, 0) })).to.deep.equal(['slow']);
  });

  it('take turns where there are too many', () => {
    const detection = observe(0, { a: 104, b: 103, c: 102, d: 101 });
    const options = { hourAgo: () => 100, most: 2 };
    expect(next(detection, options)).to.deep.equal(['a', 'b']);
    expect(next(observe(5, { a: 104, b: 103, c: 102, d: 101 }), options)).to.deep.equal(['c', 'd']);
    expect(next(observe(10, { a: 104, b: 103, c: 102, d: 101 }), options)).to.deep.equal(['a', 'b']);
  });

  it('come after those that are named, which need not grow', () => {
    const detection = observe(0, { a: 104, b: 103, z: 100 });
    const always = new Set(['shop/z', 'shop/gone']);
    expect(next(detection, { hourAgo: () => 100, most: 2, always })).to.deep.equal(['z', 'a']);
  });

  it('are not those that are muted', () => {
    const detection = detectionOf(0, { a: 104, b: 103 }, ['a']);
    growing.observe(detection, 0);
    expect(next(detection, { hourAgo: () => 100 })).to.deep.equal(['b']);
  });

  it('forget what was before they were away', () => {
    observe(0, { a: 100, b: 100 });
    observe(65, { b: 100 });
    const detection = observe(180, { a: 130, b: 130 });
    expect(next(detection)).to.deep.equal(['b']);
  });
});
