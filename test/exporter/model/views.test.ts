import { expect } from 'chai';
import { levelOf } from '../../../src/exporter/history/level.js';
import { encodeLevel } from '../../../src/exporter/history/workload-history.js';
import { fitModel } from '../../../src/exporter/model/fit.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { locatePods } from '../../../src/exporter/model/rows.js';
import { SEASON_SLOTS, slotOf } from '../../../src/exporter/model/season.js';
import { VIEWS, type View } from '../../../src/exporter/model/view-list.js';
import { emptyJudgement, usualAt, ViewJudge } from '../../../src/exporter/model/views.js';
import { QUICK_PARAMETERS } from '../../support/parameters.js';
import { feature, featureTable, RESTARTS } from '../../support/tables.js';

/** A gauge whose level is the logarithm of its value plus one. */
const LOAD = feature('load', { spreadFloor: 0.5 });
const FEATURES = [LOAD, RESTARTS];
const USUAL = 100;

/** The training ends after an hour; ten minutes later, the last eleven of them are judged. */
const TRAINED_MINUTE = 60;
const NOW_MINUTE = 70;

/** Load, and restarts so far, of a pod at a minute; `undefined` where it is not there. */
type Course = (minute: number) => readonly [load: number, restarts: number] | undefined;

/** Pods by name; the workload is what stands before the dash. */
type Pods = Readonly<Record<string, Course>>;

const steady =
  (load = USUAL): Course =>
  () => [load, 0];

/** Another load from a minute on. */
const since =
  (from: number, load: number): Course =>
  (minute) => [minute < from ? USUAL : load, 0];

const restartingAt =
  (...minutes: readonly number[]): Course =>
  (minute) => [USUAL, minutes.filter((own) => own <= minute).length];

function tableOf(pods: Pods, from: number, to: number) {
  const blank = [Number.NaN, Number.NaN];
  const written = Object.entries(pods).map(([pod, course]) => ({
    pod,
    workload: pod.split('-')[0] ?? '',
    rows: Array.from({ length: to - from + 1 }, (_, index) => [...(course(from + index) ?? blank)]),
  }));
  const there = written.filter(({ rows }) => !rows.flat().every(Number.isNaN));
  return featureTable(FEATURES, there, { startSeconds: 60 * from });
}

/** What is known of a workload. */
interface Known {
  /** The load to expect at any time, or in each slot; unless said, it is not known. */
  readonly season?: number | ((slot: number) => number);
  /** Boundaries of the load; others are not known. */
  readonly load?: Partial<Record<View, number>>;
  readonly restarts?: number;
  /** How far below and above the season levels are known. */
  readonly range?: readonly [lowest: number, highest: number];
  /** The views in which the workload is held. */
  readonly held?: readonly View[];
}

const boundariesOf = ({ load = {}, restarts = Number.NaN }: Known) => [
  ...VIEWS.map((view) => load[view] ?? Number.NaN),
  ...VIEWS.map((_, view) => (view === 0 ? restarts : Number.NaN)),
];

/** A model that was trained on the first hour of some pods, with what is known of workloads. */
function modelOf(pods: Pods, workloads: Readonly<Record<string, Known>>, fleet: Known = {}): Model {
  const model = fitModel({ window: tableOf(pods, 0, TRAINED_MINUTE), history: [] }, FEATURES, QUICK_PARAMETERS);
  const keys = Object.keys(workloads).map((workload) => `ns/${workload}`);
  const known = Object.values(workloads);
  return {
    ...model,
    remembers: true,
    limits: {
      keys,
      rows: new Map(keys.map((key, row) => [key, row])),
      season: Uint16Array.from(
        known.flatMap(({ season = Number.NaN }) =>
          FEATURES.flatMap(() =>
            Array.from({ length: SEASON_SLOTS }, (_, slot) =>
              encodeLevel(levelOf(LOAD, typeof season === 'number' ? season : season(slot))),
            ),
          ),
        ),
      ),
      range: Float32Array.from(known.flatMap(({ range = [0, 0] }) => FEATURES.flatMap(() => range))),
      held: Uint8Array.from(
        known.flatMap(({ held = [] }) => FEATURES.flatMap(() => VIEWS.map((view) => Number(held.includes(view))))),
      ),
      boundaries: Float32Array.from(known.flatMap(boundariesOf)),
    },
    fleet: { boundaries: Float32Array.from(boundariesOf(fleet)) },
  };
}

/** What is said of a pod now. @param column 0 for the load, 1 for restarts. */
function judge(model: Model, pods: Pods, pod: string, column = 0, from = NOW_MINUTE - 10, to = NOW_MINUTE) {
  const table = tableOf(pods, from, to);
  const judgement = emptyJudgement(table.pods.length * FEATURES.length);
  const judge = new ViewJudge(model, table, locatePods(model.baseline.pods, table.pods));
  for (const position of table.pods.keys()) judge.judge(position, judgement, position);
  const cell = table.pods.findIndex((own) => own.pod === pod) * FEATURES.length + column;
  return {
    share: judgement.shares[cell] as number,
    view: VIEWS[judgement.views[cell] as number],
    expected: judgement.expected[cell] as number,
  };
}

describe('views of a pod', () => {
  describe('of its workload at this time of the day', () => {
    const known = { web: { season: USUAL, load: { seasonUp: Math.LN2, seasonDown: Math.LN2 } } };

    it('say how far of the boundary it is, and what to expect', () => {
      const pods = { 'web-0': since(64, 401) };
      const { share, view, expected } = judge(modelOf(pods, known), pods, 'web-0');
      // A factor of four is two doublings.
      expect(share).to.be.closeTo(2, 0.03);
      expect(view).to.equal('seasonUp');
      expect(expected).to.be.closeTo(USUAL, 1);
    });

    it('are negative below it', () => {
      const pods = { 'web-0': since(64, 0) };
      const { share, view } = judge(modelOf(pods, known), pods, 'web-0');
      expect(share).to.be.closeTo(-Math.log(101) / Math.LN2, 0.03);
      expect(view).to.equal('seasonDown');
    });

    it('count what has lasted for five minutes, not what has just begun', () => {
      const shareSince = (from: number) => {
        const pods = { 'web-0': since(from, 1000) };
        return judge(modelOf(pods, known), pods, 'web-0').share;
      };
      expect(shareSince(NOW_MINUTE - 5)).to.be.above(1);
      for (const from of [NOW_MINUTE - 4, NOW_MINUTE - 2, NOW_MINUTE]) {
        expect(shareSince(from), `since ${from}`).to.be.within(0, 0.1);
      }
    });

    it('let one minute pass, and end with the deviation', () => {
      const pods = { 'web-0': (minute: number) => [minute < 64 || minute === 67 ? USUAL : 401, 0] as const };
      expect(judge(modelOf(pods, known), pods, 'web-0').share).to.be.closeTo(2, 0.03);
      const over = { 'web-0': (minute: number) => [minute < 64 || minute === NOW_MINUTE ? USUAL : 401, 0] as const };
      expect(judge(modelOf(over, known), over, 'web-0').share).to.be.within(0, 0.1);
    });

    it('say nothing where the time of day is not known', () => {
      const pods = { 'web-0': since(64, 401) };
      const unknown = { web: { load: { seasonUp: Math.LN2, seasonDown: Math.LN2 } } };
      expect(judge(modelOf(pods, unknown), pods, 'web-0').share).to.equal(0);
    });

    it('count from the levels that are known, on both sides', () => {
      const to = (value: number, range?: readonly [number, number]) => {
        const pods = { 'web-0': since(64, value) };
        return judge(modelOf(pods, { web: { ...known.web, ...(range && { range }) } }), pods, 'web-0').share;
      };
      expect(to(401)).to.be.above(1.9);
      expect(to(401, [0, 2 * Math.LN2])).to.be.within(-0.1, 0.1);
      expect(to(401, [0, Math.LN2])).to.be.closeTo(1, 0.05);
      // Known levels below say nothing of a rise.
      expect(to(401, [-5, 0])).to.be.above(1.9);
      expect(to(0, [-5, 0])).to.be.within(-0.1, 0.1);
    });

    describe('near the edge of a half hour', () => {
      /** Twice as far as the boundary, which is nearer for what was beyond it before. */
      const TWICE = 2 / 0.7;
      /** In the half hour of now and the following, and in those before. */
      const seasonFrom = (before: number, from: number) => (slot: number) =>
        slot < slotOf(60 * NOW_MINUTE) ? before : from;
      const shareAt = (minute: number, load: number, season: (slot: number) => number) => {
        const pods = { 'web-0': steady(load) };
        return judge(modelOf(pods, { web: { ...known.web, season } }), pods, 'web-0', 0, minute - 10, minute).share;
      };

      it('take the level beyond it for usual as well', () => {
        for (const minute of [51, 60, 61, NOW_MINUTE]) {
          expect(shareAt(minute, USUAL, seasonFrom(USUAL, 401)), `${minute}`).to.be.within(-0.1, 0.1);
          expect(shareAt(minute, 401, seasonFrom(USUAL, 401)), `${minute}`).to.be.within(-0.1, 0.1);
          expect(shareAt(minute, 401, seasonFrom(401, USUAL)), `${minute}`).to.be.within(-0.1, 0.1);
        }
      });

      it('do not elsewhere', () => {
        expect(shareAt(NOW_MINUTE + 1, USUAL, seasonFrom(USUAL, 401))).to.be.closeTo(-TWICE, 0.1);
        expect(shareAt(NOW_MINUTE + 1, 401, seasonFrom(401, USUAL))).to.be.closeTo(TWICE, 0.1);
        expect(shareAt(49, 401, seasonFrom(USUAL, 401))).to.be.closeTo(TWICE, 0.1);
      });

      it('report what is beyond both, and a level that is not known beyond it changes nothing', () => {
        expect(shareAt(61, 1604, seasonFrom(USUAL, 401))).to.be.closeTo(TWICE, 0.1);
        expect(shareAt(61, 401, seasonFrom(401, 1604))).to.be.within(-0.1, 0.1);
        expect(shareAt(61, USUAL, seasonFrom(401, 1604))).to.be.closeTo(-TWICE, 0.1);
        expect(shareAt(61, 401, seasonFrom(Number.NaN, USUAL))).to.be.closeTo(TWICE, 0.1);
      });

      it('are drawn in charts as they are judged', () => {
        const pods = { 'web-0': steady() };
        const model = modelOf(pods, { web: { ...known.web, season: seasonFrom(USUAL, 401) } });
        const usual = (minute: number) => usualAt(model, 'ns/web', 0, 60 * minute);
        expect(usual(NOW_MINUTE)?.lower).to.be.closeTo(50, 1);
        expect(usual(NOW_MINUTE)?.upper).to.be.closeTo(803, 5);
        expect(usual(NOW_MINUTE + 1)?.lower).to.be.closeTo(200, 2);
        expect(usual(49)?.upper).to.be.closeTo(201, 2);
      });
    });

    it('are nearer for what has lasted for an hour, where the workload is held', () => {
      const shareOf = (value: number, from: number, held: readonly View[]) => {
        const pods = { 'web-0': since(from, value) };
        return judge(modelOf(pods, { web: { ...known.web, held } }), pods, 'web-0').share;
      };
      // Half of the boundary, and a bit.
      const value = USUAL * 1.55;
      expect(shareOf(value, 0, [])).to.be.within(0.5, 0.9);
      expect(shareOf(value, 0, ['seasonUp'])).to.be.above(1);
      // A pod that went there some minutes ago is another one.
      expect(shareOf(value, NOW_MINUTE - 20, ['seasonUp'])).to.be.within(0.5, 0.9);
      expect(shareOf(value, 0, ['seasonDown'])).to.be.within(0.5, 0.9);
    });

    it('take no notice of how large a pod is: only of what is usual for it', () => {
      const pods = { 'web-0': steady(USUAL), 'database-0': steady(100_000) };
      const model = modelOf(pods, { ...known, database: { ...known.web, season: 100_000 } });
      for (const pod of Object.keys(pods)) expect(Math.abs(judge(model, pods, pod).share), pod).to.be.below(0.1);
    });
  });

  describe('of its siblings now', () => {
    const known = { web: { load: { siblingsUp: Math.LN2, siblingsDown: Math.LN2 } } };
    const others = { 'web-0': steady(), 'web-1': steady(), 'web-2': steady() };

    it('say which of them is apart, and what the others do', () => {
      const pods = { ...others, 'web-3': since(64, 401) };
      const model = modelOf(pods, known);
      const { share, view, expected } = judge(model, pods, 'web-3');
      expect(share).to.be.closeTo(2, 0.03);
      expect(view).to.equal('siblingsUp');
      expect(expected).to.be.closeTo(USUAL, 1);
      expect(judge(model, pods, 'web-0').share).to.equal(0);
    });

    it('are negative below them', () => {
      const pods = { ...others, 'web-3': since(64, 0) };
      const { share, view } = judge(modelOf(pods, known), pods, 'web-3');
      expect(share).to.be.below(-5);
      expect(view).to.equal('siblingsDown');
    });

    it('say nothing of what all do together', () => {
      const pods = Object.fromEntries(Object.keys(others).map((pod) => [pod, since(64, 1000)]));
      for (const pod of Object.keys(pods)) expect(judge(modelOf(pods, known), pods, pod).share).to.be.within(-0.1, 0.1);
    });

    it('need three of them', () => {
      const pods = { 'web-0': steady(), 'web-1': since(64, 1000) };
      expect(judge(modelOf(pods, known), pods, 'web-1').share).to.equal(0);
    });

    it('are those of the same workload', () => {
      const pods = { ...others, 'job-0': since(64, 1000) };
      const model = modelOf(pods, { ...known, job: known.web });
      expect(judge(model, pods, 'job-0').share).to.equal(0);
    });
  });

  describe('over an hour, across the end of the training', () => {
    const small = Math.LN2;
    /** Half as far as what counts after minutes. */
    const known = {
      web: {
        season: USUAL,
        load: { seasonUp: 2 * small, seasonLongUp: small / 2, siblingsUp: 2 * small, siblingsLongUp: small / 2 },
      },
    };

    it('count what is small and lasts', () => {
      const pods = { 'web-0': since(5, 2 * USUAL) };
      const { share, view } = judge(modelOf(pods, known), pods, 'web-0');
      // Twice as far as the boundary, which is nearer for what was beyond it before.
      expect(share).to.be.closeTo(2 / 0.7, 0.05);
      expect(view).to.equal('seasonLongUp');
    });

    it('do not count it before the hour is over', () => {
      for (const from of [25, 45, 62]) {
        const pods = { 'web-0': since(from, 2 * USUAL) };
        expect(judge(modelOf(pods, known), pods, 'web-0').share, `since ${from}`).to.be.within(0, 0.6);
      }
    });

    it('compare with siblings as well', () => {
      const pods = { 'web-0': steady(), 'web-1': steady(), 'web-2': steady(), 'web-3': since(5, 2 * USUAL) };
      const model = modelOf(pods, { web: { load: known.web.load } });
      const { share, view } = judge(model, pods, 'web-3');
      expect(share).to.be.closeTo(2 / 0.7, 0.05);
      expect(view).to.equal('siblingsLongUp');
      expect(judge(model, pods, 'web-0').share).to.be.within(-0.1, 0.1);
    });

    it('know nothing of a pod that came after the training', () => {
      const pods = {
        'web-0': since(5, 2 * USUAL),
        'web-1': (minute: number) => (minute < 61 ? undefined : ([2 * USUAL, 0] as const)),
      };
      const model = modelOf(pods, known);
      expect(judge(model, pods, 'web-0').share).to.be.above(1);
      expect(judge(model, pods, 'web-1').share).to.be.within(0, 0.6);
      // What is far counts nevertheless.
      const far = { 'web-1': (minute: number) => (minute < 61 ? undefined : ([10 * USUAL, 0] as const)) };
      expect(judge(model, far, 'web-1').share).to.be.above(1);
    });
  });

  describe('of a counter', () => {
    const RISES = 1;
    const known = { web: { season: USUAL, restarts: 2.5 } };
    const shareOf = (course: Course, from?: number) => {
      const pods = { 'web-0': course };
      return judge(modelOf(pods, known), pods, 'web-0', RISES, from).share;
    };

    it('add up what came within the hour, before the training and after it', () => {
      expect(shareOf(restartingAt(20, 40, 66))).to.be.closeTo(3 / 2.5, 1e-6);
      expect(shareOf(restartingAt(62, 64, 66))).to.be.closeTo(3 / 2.5, 1e-6);
      expect(shareOf(restartingAt(66))).to.be.closeTo(1 / 2.5, 1e-6);
      expect(shareOf(steady())).to.equal(0);
    });

    it('count nothing twice, wherever the table begins', () => {
      for (const from of [45, 50, 55, 60]) {
        expect(shareOf(restartingAt(30, 48, 52, 57, 66), from), `from ${from}`).to.be.closeTo(5 / 2.5, 1e-6);
      }
    });

    it('forget what is longer ago', () => {
      expect(shareOf(restartingAt(1, 3, 5, 66))).to.be.closeTo(1 / 2.5, 1e-6);
    });

    it('need more than one rise where nothing is known of the workload', () => {
      const judgeUnknown = (course: Course) => {
        const pods = { 'new-0': course };
        return judge(modelOf(pods, known), pods, 'new-0', RISES).share;
      };
      expect(judgeUnknown(restartingAt(66))).to.be.within(0, 1);
      expect(judgeUnknown(restartingAt(64, 66))).to.be.above(1);
    });

    it('go from where it stands, however high', () => {
      const high: Course = (minute) => [USUAL, 1000 + (minute >= 66 ? 1 : 0)];
      expect(shareOf(high)).to.be.closeTo(1 / 2.5, 1e-6);
      // A new object of the same name begins at 0.
      const replaced: Course = (minute) => [USUAL, minute >= 64 ? 0 : 1000];
      expect(shareOf(replaced)).to.equal(0);
    });
  });

  describe('of a workload that is not known', () => {
    const known = { web: { season: USUAL, load: { seasonUp: Math.LN2 } } };
    const fleet = { load: { seasonUp: Math.LN2, siblingsUp: Math.LN2, siblingsDown: Math.LN2 } };

    it('do not flag it for being large, small or new', () => {
      const pods = { 'web-0': steady(), 'huge-0': steady(1e6), 'tiny-0': steady(0) };
      const model = modelOf(pods, known, fleet);
      for (const pod of ['huge-0', 'tiny-0']) expect(judge(model, pods, pod).share, pod).to.equal(0);
    });

    it('compare its pods by the boundaries of the fleet', () => {
      const pods = { 'new-0': steady(), 'new-1': steady(), 'new-2': steady(), 'new-3': since(64, 401) };
      expect(judge(modelOf(pods, known, fleet), pods, 'new-3').share).to.be.closeTo(2, 0.03);
      expect(judge(modelOf(pods, known), pods, 'new-3').share).to.equal(0);
    });
  });

  it('say nothing of what is not there now', () => {
    const pods = {
      'web-0': steady(),
      'web-1': (minute: number) => (minute < NOW_MINUTE ? ([1000, 0] as const) : undefined),
    };
    const model = modelOf(pods, { web: { season: USUAL, load: { seasonUp: Math.LN2 } } });
    expect(judge(model, pods, 'web-1').share).to.equal(0);
  });

  describe('near their boundary', () => {
    const known = { web: { season: USUAL, load: { seasonUp: Math.LN2 } } };
    /** Beyond the boundary from minute 30 to 50, and not far below it from some minute on. */
    const waveringFrom =
      (from: number): Course =>
      (minute) => [minute >= 30 && minute < 50 ? 401 : minute < from ? USUAL : 101 * 2 ** 0.8 - 1, 0];
    const shareAt = (minute: number) => {
      const pods = { 'web-0': waveringFrom(minute - 6) };
      return judge(modelOf(pods, known), pods, 'web-0', 0, minute - 10, minute).share;
    };

    it('deviate as long as they were beyond it within the hour before', () => {
      for (const minute of [70, 90, 104]) expect(shareAt(minute), `at ${minute}`).to.be.closeTo(0.8 / 0.7, 0.03);
    });

    it('do not deviate later, however long ago the training was', () => {
      for (const minute of [110, 121, 600]) expect(shareAt(minute), `at ${minute}`).to.be.closeTo(0.8, 0.03);
    });
  });

  it('name the one that is furthest beyond its boundary', () => {
    const pods = { 'web-0': steady(), 'web-1': steady(), 'web-2': steady(), 'web-3': since(64, 401) };
    const viewWith = (load: Known['load']) =>
      judge(modelOf(pods, { web: { season: USUAL, load: load ?? {} } }), pods, 'web-3').view;
    expect(viewWith({ seasonUp: 0.5, siblingsUp: 0.9 })).to.equal('seasonUp');
    expect(viewWith({ seasonUp: 0.9, siblingsUp: 0.5 })).to.equal('siblingsUp');
  });
});
