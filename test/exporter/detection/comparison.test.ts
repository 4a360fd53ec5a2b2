import { expect } from 'chai';
import { COMPARISON_WORDS, COMPARISONS } from '../../../src/exporter/detection/comparison.js';
import { detect } from '../../../src/exporter/detection/detect.js';
import type { Detection } from '../../../src/exporter/detection/detection.js';
import { explain, type FeatureExplanation } from '../../../src/exporter/detection/explain.js';
import { describeReason, notableReasons } from '../../../src/exporter/detection/reasons.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { type Course, MEBIBYTE, steadyMinutes, steadyModel } from '../../support/steady-cluster.js';

const rowOf = ({ table }: Detection, pod: string) => table.pods.findIndex((own) => own.pod === pod);

/** The explanation of a feature of a pod. */
function explanationOf(detection: Detection, pod: string, feature: string): FeatureExplanation {
  const found = explain(detection, [rowOf(detection, pod)])[0]?.find((own) => own.feature === feature);
  if (found === undefined) throw new Error(`There is no ${feature}.`);
  return found;
}

const scoreOf = (detection: Detection, pod: string) => detection.scores[rowOf(detection, pod)] as number;

const memoryTimes =
  (factor: number, forSeconds = Number.POSITIVE_INFINITY): Course =>
  ([cpu, memory, restarts], secondsAgo) => [cpu, secondsAgo < forSeconds ? factor * memory : memory, restarts];

describe('what a value is compared with', () => {
  let model: Model;

  before(() => {
    model = steadyModel();
  });

  const detectionOf = (courses: Readonly<Record<string, Course>>, afterSeconds?: number) =>
    detect(model, steadyMinutes(courses, afterSeconds));

  it('is its workload at this time of day, where that tells most', () => {
    const detection = detectionOf({ 'report-0': memoryTimes(3) });
    expect(scoreOf(detection, 'report-0')).to.be.above(0);
    const memory = explanationOf(detection, 'report-0', 'memory');
    expect(memory).to.include({ comparison: 'time_of_day', direction: 'above' });
    expect(memory.expected / MEBIBYTE).to.be.within(195, 205);
    expect(memory.boundary).to.be.within(memory.expected, memory.actual);
    expect(memory.share).to.be.above(0.9);
  });

  it('expects at noon what there is at noon', () => {
    const cpu = explanationOf(detectionOf({}, 3600), 'report-0', 'cpu');
    expect(cpu.comparison).to.be.oneOf(['time_of_day', 'time_of_day_for_an_hour']);
    expect(cpu.expected).to.be.within(1.9, 2.1);
    expect(cpu.direction).to.equal('usual');
  });

  it('is its siblings now, where that tells more', () => {
    const others = Object.fromEntries(['web-0', 'web-1', 'web-3'].map((pod) => [pod, memoryTimes(0.5)]));
    const detection = detectionOf(others);
    expect(scoreOf(detection, 'web-2')).to.be.above(0);
    const memory = explanationOf(detection, 'web-2', 'memory');
    expect(memory).to.include({ comparison: 'siblings', direction: 'above' });
    expect(memory.expected / MEBIBYTE).to.be.within(97, 103);
    expect(memory.boundary).to.be.within(memory.expected, memory.actual);
    expect(describeReason(memory)).to.match(
      /^memory 20\d MiB, its siblings (?:9\d\.\d|10\d) MiB now \((?:1\.9\d|2\.?\d*) × as much, /,
    );
  });

  it('is the hour before for restarts', () => {
    const crashing: Course = ([cpu, memory, restarts], secondsAgo) => [
      cpu,
      memory,
      restarts + Math.max(0, 5 - Math.floor(secondsAgo / 60)),
    ];
    const detection = detectionOf({ 'report-0': crashing });
    const restarts = explanationOf(detection, 'report-0', 'restarts');
    expect(restarts).to.include({ comparison: 'rise_in_an_hour', actual: 8, expected: 3, boundary: 4 });
    expect(describeReason(restarts)).to.match(/^restarts 5 within an hour, usually at most 1 \(\+13\.3 spreads/);
  });

  it('is the last hours where only they flag the pod, briefly', () => {
    const detection = detectionOf({ 'web-1': memoryTimes(3, 90) });
    expect(scoreOf(detection, 'web-1')).to.be.above(0);
    const memory = explanationOf(detection, 'web-1', 'memory');
    expect(memory).to.include({ comparison: 'last_hours', boundary: null, direction: 'above' });
    expect(memory.share).to.be.above(0.9);
    for (const { comparison } of explain(detection, [rowOf(detection, 'web-1')])[0] ?? []) {
      expect(comparison).to.equal('last_hours');
    }
    // Other pods are judged by their days.
    expect(explanationOf(detection, 'web-0', 'memory').comparison).to.not.equal('last_hours');
  });

  it('is the last hours for what no view finds unusual in a flagged pod', () => {
    // Falls of memory are not judged by the days before.
    const course: Course = ([cpu, memory, restarts]) => [4 * cpu, 0.4 * memory, restarts];
    const detection = detectionOf({ 'web-1': course });
    expect(scoreOf(detection, 'web-1')).to.be.above(0);
    expect(explanationOf(detection, 'web-1', 'cpu').comparison).to.not.equal('last_hours');
    expect(explanationOf(detection, 'web-1', 'memory')).to.include({ comparison: 'last_hours', direction: 'below' });
  });

  it('is the last hours where nothing is known of the days before', () => {
    const fresh = steadyModel(0);
    const detection = detect(fresh, steadyMinutes({ 'web-1': memoryTimes(3, 90) }));
    expect(scoreOf(detection, 'web-1')).to.be.above(0);
    expect(explanationOf(detection, 'web-1', 'memory')).to.include({ comparison: 'last_hours', boundary: null });
  });

  it('is as many usual spreads away at the boundary as the sensitivity says', () => {
    const detection = detectionOf({ 'report-0': memoryTimes(3) });
    const cell = rowOf(detection, 'report-0') * 3 + 1;
    const share = detection.judgement?.shares[cell] as number;
    expect(share).to.be.above(1);
    expect(detection.deviations[cell]).to.be.closeTo(4 * share, 1e-9);
    expect(explanationOf(detection, 'report-0', 'memory').deviation).to.equal(detection.deviations[cell]);
  });

  it('weighs by how much the verdict falls when the feature is usual', () => {
    const detection = detectionOf({ 'report-0': memoryTimes(3) });
    const memory = explanationOf(detection, 'report-0', 'memory');
    // Without its memory nothing is unusual, and the score is at most 0.
    expect(memory.contribution).to.be.at.least(scoreOf(detection, 'report-0') - 1e-9);
    expect(explanationOf(detection, 'report-0', 'restarts').contribution).to.equal(0);
  });

  it('reads as a sentence', () => {
    const detection = detectionOf({ 'report-0': memoryTimes(3) });
    const [reason, ...others] = notableReasons(explain(detection, [rowOf(detection, 'report-0')])[0] ?? []);
    expect(others).to.deep.equal([]);
    expect(describeReason(reason as FeatureExplanation)).to.match(
      /^memory 60\d MiB, usually 200 MiB at this time of day \(3\.0\d × as much, \+[\d.]+ spreads, (?:9\d|100) % of the score\)$/,
    );
  });

  it('has words for each', () => {
    expect(Object.keys(COMPARISON_WORDS)).to.deep.equal([...COMPARISONS]);
  });
});
