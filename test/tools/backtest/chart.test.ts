import { expect } from 'chai';
import { barChart, type TimeChart, timeChart, timeTicks } from '../../../src/tools/backtest/chart.js';

const START = Date.parse('2026-05-01T00:00:00Z') / 1000;

const CHART: TimeChart = {
  label: 'cpu <of> a pod',
  startSeconds: START,
  endSeconds: START + 600,
  stepSeconds: 60,
  bridgedSteps: 5,
  lines: [],
  spans: [],
  least: [0],
  text: String,
};
const pathOf = (values: (number | null)[]) =>
  / class="actual" d="([^"]*)"/.exec(timeChart({ ...CHART, lines: [{ kind: 'actual', values }] }).markup)?.[1];

describe('charts', () => {
  it('draw a line across a few missing values, and not across many', () => {
    expect(pathOf([0, 1, null, 1])).to.match(/^M0 100L100 7\.4L300 7\.4$/);
    expect(pathOf([1, null, null, null, null, 1])).to.match(/^M[^M]*L[^M]*$/);
    expect(pathOf([1, null, null, null, null, null, 1])).to.match(/^M[^L]*M[^L]*$/);
    expect(pathOf([null, null])).to.equal('');
  });

  it('write the values at the ends beside them, also of a line that is flat', () => {
    const labels = (values: number[]) => {
      const { markup } = timeChart({
        ...CHART,
        least: values.slice(0, 1),
        lines: [{ kind: 'actual', values }],
      });
      return [...markup.matchAll(/<span style="top:([\d.]+)%">([^<]*)</g)].map(([, top, of]) => [Number(top), of]);
    };
    expect(labels([-1, 3])).to.deep.equal([
      [6.9, '3'],
      [93.1, '-1'],
    ]);
    expect(labels([5, 5])).to.deep.equal([[50, '5']]);
  });

  it('show a moment as a visible stretch, and leave out what is outside', () => {
    const spans = [
      { startSeconds: START + 60, endSeconds: START + 61, kind: 'flagged' as const },
      { startSeconds: START - 600, endSeconds: START - 60, kind: 'alert' as const },
    ];
    const { markup } = timeChart({ ...CHART, spans });
    expect(markup.match(/<rect/g)).to.have.lengthOf(1);
    expect(markup).to.include('<rect class="flagged" x="100" y="0" width="2" height="100"/>');
    expect(markup).to.include('aria-label="cpu &#60;of&#62; a pod"');
  });

  it('mark round instants', () => {
    const texts = (hours: number) => timeTicks(START + 60, START + hours * 3600).map(({ text }) => text);
    expect(texts(1)).to.deep.equal(['00:10', '00:20', '00:30', '00:40', '00:50']);
    expect(texts(24)).to.deep.equal(['06:00', '12:00', '18:00']);
    expect(texts(48)).to.deep.equal(['12:00', '05-02', '12:00']);
    // Weeks begin where Unix time did, on a Thursday.
    expect(texts(14 * 24)).to.deep.equal(['05-07', '05-14']);
    expect(timeTicks(START, START + 365 * 86_400).length).to.be.within(3, 7);
  });

  it('show the bars of days beside the budget', () => {
    const { markup } = barChart(
      [
        { label: '2026-05-01', value: 0 },
        { label: '2026-05-02', value: 4 },
      ],
      'alerts',
      2,
    );
    expect(markup).to.include('style="bottom:50%"').and.include('class="fill over" style="height:100%"');
    expect(markup).to.include('style="height:0%"');
  });
});
