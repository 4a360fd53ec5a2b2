import { expect } from 'chai';
import type { PodPlot } from '../../../src/tools/backtest/plots.js';
import { makeReport, type ReportInput } from '../../../src/tools/backtest/report.js';
import { reportHtml } from '../../../src/tools/backtest/report-html.js';
import { reportText } from '../../../src/tools/backtest/report-text.js';
import type { ChunkResult, PodStretch } from '../../../src/tools/replay/chunk-result.js';

const START = Date.parse('2026-05-01T00:00:00Z') / 1000;
const HOSTILE = `<img src=x onerror=alert(1)>"'&`;
const FEATURES = [
  { name: 'cpu', unit: 'cores', isCounter: false },
  { name: 'memory', unit: 'bytes', isCounter: false },
];

/** A pod of a chunk of two hours that is flagged at each of two sensitivities for these minutes. */
function stretch(pod: string, flagged: readonly (readonly number[])[]): PodStretch {
  const minutes = [
    ...new Set(flagged.flatMap(([from = 0, to = 0]) => Array.from({ length: to - from }, (_, index) => from + index))),
  ].sort((a, b) => a - b);
  return {
    namespace: 'shop',
    pod,
    workload: pod.replace(/-\d+$/, ''),
    scored: [0, 120],
    muted: [],
    flagged,
    lasting: flagged,
    readMinutes: minutes,
    readings: minutes.flatMap((minute) => [0.1, 1 + minute / 100, 0.2, 20, 1, 2 ** 30, 2 ** 29, -3, 0]),
  };
}

function chunk(hours: number, pods: readonly PodStretch[], more: Partial<ChunkResult> = {}): ChunkResult {
  return {
    startSeconds: START + hours * 3600,
    minutes: 120,
    features: FEATURES,
    pods,
    unscored: { warmup: 3 },
    minutesWithoutModel: 0,
    rememberedHours: 0,
    expectedMessagesPerDay: null,
    trainings: 8,
    failedTrainings: 0,
    lastFailure: null,
    warnings: [],
    ...more,
  };
}

const quiet = Array.from({ length: 10 }, (_, index) => stretch(`quiet${index}`, [[], []]));

const INPUT: ReportInput = {
  generatedSeconds: START + 5 * 3600 + 0.5,
  programVersion: '1.2.3',
  prometheus: 'http://prometheus:9090',
  startSeconds: START,
  endSeconds: START + 4 * 3600,
  settings: { NAMESPACE_REGEX: HOSTILE },
  rules: { forSeconds: 300, closedRanges: false },
  sensitivities: [3, 4],
  chosen: 1,
  budgetPerDay: 7,
  chunks: [
    // Ten minutes that go on in the next chunk, and an incident that only the lower sensitivity sees.
    chunk(0, [
      stretch('cart-0', [
        [110, 120],
        [110, 120],
      ]),
      stretch(HOSTILE, [[20, 40], []]),
      ...quiet,
    ]),
    chunk(
      2,
      [
        stretch('cart-0', [
          [0, 10],
          [0, 10],
        ]),
        ...quiet,
      ],
      { failedTrainings: 1, lastFailure: 'no data' },
    ),
  ],
  existing: [
    {
      alertname: 'Slow',
      labels: { namespace: 'shop', pod: 'cart-0' },
      startSeconds: START + 120 * 60,
      endSeconds: START + 130 * 60,
    },
  ],
  notes: ['a note'],
};

describe('the report of a backtest', () => {
  const report = makeReport(INPUT);

  it('adds chunks up: what goes on across them is one alert', () => {
    expect(report.alerts).to.have.lengthOf(1);
    expect(report.alerts[0]).to.deep.include({
      alert: 'PodAnomalous',
      pod: 'cart-0',
      start: '2026-05-01T01:54:30Z',
      end: '2026-05-01T02:19:30Z',
      duration_seconds: 1500,
      sent: true,
      ended: 'recovered',
    });
    expect(report).to.deep.include({
      version: 1,
      start: '2026-05-01T00:00:00Z',
      end: '2026-05-01T04:00:00Z',
      pods: 12,
      trainings: 16,
      failed_trainings: 1,
      pod_minutes_unscored: { warmup: 6 },
      pod_minutes_scored: 23 * 120,
    });
  });

  it('tells what the alert would have said, at the minute when it fires', () => {
    expect(report.alerts[0]?.features).to.deep.equal([
      { feature: 'cpu', unit: 'cores', actual: 1 + 114 / 100, expected: 0.2, comparison: 'time_of_day', deviation: 20 },
      { feature: 'memory', unit: 'bytes', actual: 2 ** 30, expected: 2 ** 29, comparison: 'last_hours', deviation: -3 },
    ]);
  });

  it('counts for each sensitivity, and suggests the one that keeps the budget', () => {
    expect(report.sensitivities.map(({ alerts, alerts_per_day: rate }) => [alerts, rate])).to.deep.equal([
      [2, 12],
      [1, 6],
    ]);
    expect(report.sensitivities.map((own) => [own.messages, own.messages_per_day])).to.deep.equal([
      [2, 12],
      [1, 6],
    ]);
    const podDays = (23 * 120) / 1440;
    expect(report.sensitivities[1]?.messages_per_1000_pods_and_day).to.be.closeTo(1000 / podDays, 1e-3);
    expect(report.suggestion.sensitivity).to.equal(4);
    expect(report.sensitivities[0]?.workloads.map(({ workload }) => workload)).to.have.members(['cart', HOSTILE]);
    expect(report.sensitivities[1]?.namespaces).to.deep.equal([
      {
        namespace: 'shop',
        workload: '',
        pod: '',
        messages: 1,
        alerts: 1,
        alerts_per_day: 6,
        flagged_pod_minutes: 20,
      },
    ]);
    expect(report.sensitivities[1]?.flagged_share).to.be.closeTo(20 / (23 * 120), 1e-6);
  });

  it('sees which of the alerts of then came later', () => {
    expect(report.alerts[0]?.existing).to.deep.equal([{ alertname: 'Slow', match: 'pod', lead_seconds: 330 }]);
    expect(report.sensitivities.map(({ overlap }) => overlap)).to.deep.equal(
      [1, 0].map((without) => ({
        alerts_by_match: { pod: 1, workload: 0, namespace: 0 },
        alerts_without: without,
        existing_matched: 1,
        existing_later: 1,
        median_lead_seconds: 330,
      })),
    );
    const unknown = makeReport({ ...INPUT, existing: undefined });
    expect([unknown.existing_alerts, unknown.sensitivities[0]?.overlap]).to.deep.equal([null, null]);
  });

  it('says what to keep in mind', () => {
    expect(report.notes).to.have.lengthOf(3);
    expect(report.notes[1]).to.include('1 of 16 trainings failed').and.include('no data');
    expect(report.notes[2]).to.include('4 hours');
  });

  it('is text for a terminal', () => {
    const text = reportText(report, ['report.json']);
    expect(text).to.include('ANOMALY_SENSITIVITY=4');
    expect(text).to.match(/\* 4 +6 +522 +1 +1 /);
    expect(text).to.include('Of 1 alert, 1 ended as the pod was back at what is usual for it, 0 as');
    expect(text).to.include(
      'pod shop/cart-0, for 25 min\n    cpu 2.14 cores, usually 0.2 cores at this time of day (10.7 × as much, +20 spreads)',
    );
    expect(text).to.include('1 of them had it first, 6 min earlier');
  });

  describe('as a page', () => {
    const plot = (pod: string): PodPlot => ({
      namespace: 'shop',
      pod,
      alerts: report.alerts,
      flagged: [{ startSeconds: START + 6600, endSeconds: START + 7800 }],
      scores: [null, -0.1, 0.1, -0.1],
      bucketSeconds: 3600,
      detail: {
        alert: report.alerts[0] ?? expect.fail(),
        startSeconds: START + 6600,
        endSeconds: START + 6600 + 180,
        readings: [[0.1, 1, 0.2, 20, 1, null, null, null, null], null, [0.1, 2, 0.2, 20, 1, null, null, null, null]],
      },
    });
    const page = reportHtml({ ...report, prometheus: HOSTILE, notes: [HOSTILE] }, [plot(HOSTILE)], FEATURES);

    it('needs nothing else: no scripts, no network', () => {
      expect(page).to.include(`default-src &#39;none&#39;`);
      expect(page).to.not.match(/<(?:script|link|img|a|iframe|use)\b|url\(|@import/i);
      expect(Buffer.byteLength(page)).to.be.below(40_000);
    });

    it('shows hostile names as text', () => {
      expect(page.match(/&#60;img src=x onerror=alert\(1\)&#62;&#34;&#39;&#38;/g)?.length).to.be.above(4);
      expect(page).to.not.include('<img');
    });

    it('draws the features that the pod has, and tells what a chart shows', () => {
      expect(page.match(/<svg /g)).to.have.lengthOf(2);
      expect(page.match(/<svg [^>]*role="img" aria-label="[^"]+"/g)).to.have.lengthOf(2);
      expect(page).to.include('2026-05-01 01:54, for 25 min');
    });

    it('is the same where nothing was found', () => {
      const empty = makeReport({ ...INPUT, chunks: [chunk(0, []), chunk(2, [])], existing: [] });
      expect(reportHtml(empty, [], FEATURES)).to.include('No pod was flagged');
      expect(reportText(empty, [])).to.include('none');
    });
  });
});
