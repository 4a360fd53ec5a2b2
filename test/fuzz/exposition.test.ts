import { expect } from 'chai';
import fc from 'fast-check';
import { isObjectName } from '../../src/exporter/features/table.js';
import { createMetrics } from '../../src/exporter/metrics/registry.js';
import { samplesOf } from '../support/exposition.js';
import { anyText, eventuallyHolds } from '../support/fuzz.js';
import { passOf } from '../support/http-fixtures.js';
import { stateWith } from '../support/metric-sources.js';

const name = anyText.filter(isObjectName);
const pod = fc.record({
  namespace: name,
  pod: name,
  score: fc.double({ noNaN: true, noDefaultInfinity: true }),
});
const pods = fc.uniqueArray(pod, {
  selector: (one) => JSON.stringify([one.namespace, one.pod]),
  maxLength: 8,
});

describe('fuzzing the text of the metrics', () => {
  it('names every pod and score so that they can be read again', async () => {
    await eventuallyHolds(
      pods,
      async (all) => {
        const { body } = await createMetrics(stateWith).render(async () => passOf(all));
        // What is sent are bytes.
        const text = Buffer.from(body).toString();
        expect(samplesOf(text, 'anomaly_score')).to.deep.equal(
          all.map(({ namespace, pod: podName, score }) => ({
            name: 'anomaly_score',
            labels: { namespace, pod: podName },
            // The text format has one zero.
            value: score + 0,
          })),
        );
      },
      100,
    );
  });
});
