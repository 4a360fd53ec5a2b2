import { expect } from 'chai';
import { detect, instantsUpTo, RECENT_STEP_SECONDS, recentSecondsOf } from '../../../src/exporter/detection/detect.js';
import type { Detection } from '../../../src/exporter/detection/detection.js';
import { FeatureTableBuilder } from '../../../src/exporter/features/table-builder.js';
import { workloadFromName } from '../../../src/exporter/features/workload.js';
import type { Model } from '../../../src/exporter/model/model.js';
import { train } from '../../../src/exporter/training/job.js';
import { fakeApi } from '../../support/fake-api.js';
import { type Answer, FEATURES, SmallCluster } from '../../support/small-cluster.js';
import { hourRequest } from '../../support/training-request.js';

const REBOOT = 1_767_268_800;
const MINUTE = 60;

/** One pod of each three has one container, three, or twelve. */
const PODS = Array.from({ length: 99 }, (_, index) => {
  const pod = `web${index % 9}-${Math.floor(index / 9)}`;
  const containers = Array.from({ length: [1, 3, 12][index % 3] as number }, (_, container) => `c${container}`);
  return { namespace: 'shop', pod, containers: containers.map((container) => ({ namespace: 'shop', pod, container })) };
});

/** When a container restarts, besides that of the reboot. */
type Further = (pod: string, container: number) => readonly number[];

/**
 * The pods of a node that reboots: for three minutes there is no usage, then each container is up within four minutes, and
 * takes three times its usual CPU for two minutes.
 */
function rebooting(further: Further = () => []): Answer {
  const cluster = new SmallCluster(PODS);
  const known = new Map<string, ReturnType<Answer>>();
  const answer: Answer = (query, timeSeconds) => {
    const since = timeSeconds - REBOOT;
    const samples = cluster.answer(query, timeSeconds);
    if (query.includes('restarts_total')) {
      return PODS.flatMap(({ pod, containers }, index) =>
        containers.map((labels, container) => {
          const upSeconds = REBOOT + 3 * MINUTE + ((index * 7 + container * 23) % 240);
          const restarts = [upSeconds, ...further(pod, container)];
          return { labels, value: 3 * container + restarts.filter((time) => time <= timeSeconds).length };
        }),
      );
    }
    if (!query.includes('container_') || since < 0) return samples;
    if (since < 3 * MINUTE) return [];
    const starts = since < 5 * MINUTE && query.includes('cpu');
    return starts ? samples.map(({ labels, value }) => ({ labels, value: 3 * value })) : samples;
  };
  return (query, timeSeconds) => {
    const key = `${query} ${timeSeconds}`;
    const samples = known.get(key) ?? answer(query, timeSeconds);
    known.set(key, samples);
    return samples;
  };
}

/** A detection every 90 seconds for 75 minutes after the reboot, with trainings every quarter of an hour. */
async function* detections(answer: Answer, offsetSeconds: number): AsyncGenerator<Detection> {
  const api = fakeApi(answer);
  const trainAt = async (nowSeconds: number): Promise<Model> => {
    return { ...(await train(api, hourRequest(nowSeconds))).model, remembers: true };
  };
  let model = await trainAt(REBOOT - 5 * MINUTE + offsetSeconds);
  let trained = REBOOT - 5 * MINUTE + offsetSeconds;
  for (let now = REBOOT; now <= REBOOT + 75 * MINUTE; now += 90) {
    if (now - trained >= 15 * MINUTE) {
      trained = now;
      model = await trainAt(now);
    }
    const builder = new FeatureTableBuilder(FEATURES, instantsUpTo(now));
    for (const feature of FEATURES) {
      const startSeconds = now - recentSecondsOf(feature);
      const range = { startSeconds, endSeconds: now, stepSeconds: RECENT_STEP_SECONDS };
      builder.add(feature, await api.queryRange({ query: feature.query, ...range }));
    }
    const workloadOf = (_: string, pod: string) => workloadFromName(pod);
    yield detect(model, builder.build(workloadOf, { idleReasonOf: () => undefined, warmUpSeconds: 360 }));
  }
}

const podsWith = ({ table }: Detection, of: Uint8Array) =>
  table.pods.filter((_, row) => of[row] === 1).map(({ pod }) => pod);

describe('a node with a hundred pods that reboots', function () {
  this.timeout(240_000);

  // Trainings come at any time after a reboot: just before all containers are up, and long after.
  for (const offsetSeconds of [0, 10].map((minutes) => minutes * MINUTE)) {
    it(`makes no lasting anomaly, with a training ${(offsetSeconds - 300 + 900) / 60} minutes after it`, async () => {
      let scored = 0;
      for await (const detection of detections(rebooting(), offsetSeconds)) {
        scored += detection.table.pods.length;
        expect(podsWith(detection, detection.lasting), `at ${detection.timeSeconds - REBOOT} s`).to.deep.equal([]);
      }
      expect(scored).to.be.above(45 * PODS.length);
    });
  }

  it('flags the pods of which one container goes on to restart, and no others for long', async () => {
    // Of a pod with twelve containers, one; of a pod with a single one, that.
    const looping = ['web2-3', 'web0-3'];
    const loop = Array.from({ length: 20 }, (_, index) => REBOOT + 8 * MINUTE + index * 310);
    const further: Further = (pod, container) => (looping.includes(pod) && container === 0 ? loop : []);
    const lasting = new Map<string, number>();
    let passes = 0;
    for await (const detection of detections(rebooting(further), 0)) {
      passes++;
      for (const pod of podsWith(detection, detection.lasting)) lasting.set(pod, (lasting.get(pod) ?? 0) + 1);
    }
    expect([...lasting.keys()]).to.have.members(looping);
    for (const [pod, times] of lasting) expect(times, pod).to.be.above(passes - 16 * (60 / 90));
  });
});
