import { expect } from 'chai';
import { type EpisodesState, NO_EPISODES } from '../../../src/exporter/episodes/episodes.js';
import { countIncidents, type IncidentsState, NO_INCIDENTS } from '../../../src/exporter/episodes/incidents.js';

const HOUR = 3600;

/** The episodes at a time. @param lasting pods of the form `workload-index`; with a `?` those that are quiet. */
const episodesAt = (timeSeconds: number, ...lasting: readonly string[]): EpisodesState => ({
  ...NO_EPISODES,
  timeSeconds,
  open: new Map(
    lasting.map((text) => {
      const pod = text.replace('?', '');
      const quiet = text.endsWith('?') ? { sinceSeconds: timeSeconds, reason: 'recovered' as const } : undefined;
      const workload = pod.slice(0, pod.indexOf('-'));
      return [`shop/${pod}`, { namespace: 'shop', pod, workload, sinceSeconds: timeSeconds, quiet }];
    }),
  ),
});

const counted = (...states: readonly EpisodesState[]): IncidentsState => states.reduce(countIncidents, NO_INCIDENTS);

describe('countIncidents', () => {
  it('counts workloads, however many of their pods are anomalous', () => {
    const { beganSeconds, sinceSeconds } = counted(
      episodesAt(60),
      episodesAt(120, 'cart-0', 'cart-1', 'till-0'),
      episodesAt(180, 'cart-0', 'cart-1', 'cart-2', 'till-0'),
      episodesAt(240, 'app-0', 'cart-1', 'till-0'),
    );
    expect(beganSeconds).to.deep.equal([120, 120, 240]);
    expect(sinceSeconds).to.equal(60);
  });

  it('counts what comes again within a quarter of an hour once', () => {
    const again = (seconds: number) =>
      counted(
        episodesAt(60, 'cart-0'),
        episodesAt(120, 'cart-0?'),
        episodesAt(180),
        episodesAt(60 + seconds, 'cart-1'),
      );
    expect(again(840).beganSeconds).to.deep.equal([60]);
    expect(again(960).beganSeconds).to.deep.equal([60, 1020]);
  });

  it('counts no pod that may have ended', () => {
    expect(counted(episodesAt(60, 'cart-0?')).beganSeconds).to.deep.equal([]);
  });

  it('counts a day, and an incident that goes on when it began', () => {
    const hours = Array.from({ length: 30 }, (_, hour) => episodesAt(hour * HOUR, 'cart-0'));
    // Each is an hour after the one before.
    expect(counted(...hours).beganSeconds).to.have.lengthOf(24);
    const minutes = Array.from({ length: 25 * 60 }, (_, minute) => episodesAt(minute * 60, 'cart-0'));
    expect(counted(...minutes).beganSeconds).to.deep.equal([]);
    expect(counted(...minutes).lastSeconds).to.have.property('size', 1);
  });

  it('changes nothing for the same detection, and begins again after the clock was set back', () => {
    const state = counted(episodesAt(6000, 'cart-0'));
    expect(countIncidents(state, episodesAt(6000, 'till-0'))).to.equal(state);
    expect(countIncidents(state, NO_EPISODES)).to.equal(state);
    expect(countIncidents(state, episodesAt(600, 'till-0'))).to.include({ sinceSeconds: 600, timeSeconds: 600 });
  });
});
