import { expect } from 'chai';
import { NO_CONTEXT } from '../../../src/exporter/context/pod-context.js';
import type { PassOutcome } from '../../../src/exporter/detection/detection.js';
import { logOutcome } from '../../../src/exporter/detection/log-outcome.js';
import { NO_INCIDENTS } from '../../../src/exporter/episodes/incidents.js';
import { healthReport } from '../../../src/exporter/health.js';
import { failedPass, passOf } from '../../support/http-fixtures.js';
import { MODEL, TRAINED } from '../../support/metric-sources.js';
import { recordingLogger } from '../../support/recording-logger.js';

const scored = () => passOf([{ namespace: 'shop', pod: 'cart-1', score: 0.1 }]);
const internal = (reason: string): PassOutcome => ({
  kind: 'internal',
  message: 'The log has the details.',
  error: new TypeError(reason),
  timeSeconds: 0,
  durationSeconds: 0,
  queries: [{ query: 'cpu', success: true, durationSeconds: 0.1 }],
  warnings: [],
  isPartial: false,
});
const refused = failedPass('upstream_error', 'A.', 'refused');
const unauthorized = failedPass('upstream_error', 'B.', 'unauthorized');
const timeout = (message: string) => failedPass('timeout', message);
const late = (message: string, success: boolean): PassOutcome => ({
  ...timeout(message),
  queries: [{ query: 'cpu', success, durationSeconds: 4 }],
});

/** The log after these passes, one after the other. */
function logOf(...outcomes: readonly PassOutcome[]): [level: string, message: string][] {
  const logger = recordingLogger();
  outcomes.forEach((outcome, index) => {
    logOutcome(logger, outcomes[index - 1], outcome);
  });
  return logger.lines.map(({ level, message }) => [level, message]);
}

describe('logOutcome', () => {
  it('says nothing while all is well', () => {
    expect(logOf(scored(), scored())).to.deep.equal([]);
  });

  it('reports a fault of the exporter once for each message, whole, and its end', () => {
    expect(logOf(internal('a'), internal('a'), internal('b'), scored())).to.deep.equal([
      ['error', 'A detection pass failed unexpectedly. Please report this.'],
      ['error', 'A detection pass failed unexpectedly. Please report this.'],
      ['info', 'Pods are scored again.'],
    ]);
  });

  it('reports a failure of Prometheus once for each kind, whatever its text quotes, and its end', () => {
    const again = { ...refused, message: 'A, of another query.' };
    expect(logOf(scored(), refused, again, unauthorized, refused, scored())).to.deep.equal([
      ['warn', 'No pod was scored. A.'],
      ['warn', 'No pod was scored. B.'],
      ['warn', 'No pod was scored. A.'],
      ['info', 'Prometheus answers again.'],
    ]);
  });

  it('reports timeouts once, although their text says how long they took', () => {
    expect(logOf(scored(), timeout('4.1 s.'), timeout('4.2 s.'), refused, timeout('4.3 s.'))).to.deep.equal([
      ['warn', 'No pod was scored. 4.1 s.'],
      ['warn', 'No pod was scored. A.'],
      ['warn', 'No pod was scored. 4.3 s.'],
    ]);
  });

  it('tells a timeout of Prometheus from one of the exporter', () => {
    expect(logOf(late('5.0 s.', false), late('5.1 s.', true), scored())).to.deep.equal([
      ['warn', 'No pod was scored. 5.0 s.'],
      ['warn', 'No pod was scored. 5.1 s.'],
      ['info', 'Pods are scored again.'],
    ]);
  });
});

const healthAfter = (last: PassOutcome) =>
  healthReport({
    version: '1.2.3',
    prometheusUrl: 'http://prometheus:9090',
    baseline: 'pod',
    model: MODEL,
    training: TRAINED,
    snapshot: undefined,
    history: undefined,
    context: NO_CONTEXT,
    findings: { findings: [], lastSuccessSeconds: undefined, lastError: undefined },
    incidents: NO_INCIDENTS,
    passes: { last, lastUpstreamError: undefined },
    nowSeconds: 1_767_268_900,
  });

describe('healthReport after a pass that took too long', () => {
  it('is degraded and says why; Prometheus is only down when it did not answer', () => {
    for (const answered of [true, false]) {
      const report = healthAfter(late('No result within 5.0 s.', answered));
      expect(report.status).to.equal('degraded');
      expect(report.prometheus.up).to.equal(answered);
      expect(report.last_pass?.error).to.equal('No result within 5.0 s.');
    }
  });
});

describe('healthReport after a fault of the exporter', () => {
  const report = healthAfter(internal('secret details'));

  it('is degraded, and does not blame Prometheus', () => {
    expect(report.status).to.equal('degraded');
    expect(report.prometheus).to.include({ up: true, last_error: null });
  });

  it('says so without the details', () => {
    expect(report.last_pass?.error).to.equal('The log has the details.');
    expect(JSON.stringify(report)).not.to.include('secret details');
  });
});
