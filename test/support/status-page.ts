/** The status page of made-up passes, and what a person reads on it. */

import request from 'supertest';
import type { PassOutcome } from '../../src/exporter/detection/detection.js';
import { createApp } from '../../src/exporter/http/app.js';
import type { HistoryOutcome } from '../../src/exporter/http/status-page/history-reader.js';
import type { PodHistory } from '../../src/exporter/http/status-page/replay.js';
import { fakeDependencies, passOf, type Replaced, seasonedHealth } from './http-fixtures.js';

/** The instant of the passes (`passOf`), Unix time in seconds. */
export const SCORED_AT = Date.parse('2026-01-01T00:00:00Z') / 1000;

/** Two of them are flagged, of 23. */
export const somePods = [
  { namespace: 'shop', pod: 'cart-1', score: 0.137 },
  { namespace: 'shop', pod: 'cart-2', score: -0.2 },
  { namespace: 'payments', pod: 'checkout-1', score: 0.05 },
  ...Array.from({ length: 20 }, (_, index) => ({ namespace: 'quiet', pod: `q-${index}`, score: -0.3 })),
];

/** A pod that has been flagged for four minutes; of `usual` 100 units, 90 to 120. */
export const history: PodHistory = {
  timestampsSeconds: Float64Array.from({ length: 61 }, (_, index) => SCORED_AT - (60 - index) * 60),
  scores: Float64Array.from({ length: 61 }, (_, index) => (index >= 56 ? 0.1 : -0.2)),
  features: ['cpu', 'memory', 'restarts'].map((feature) => ({
    feature,
    unit: 'bytes',
    values: Float64Array.from({ length: 61 }, (_, index) => (index >= 56 ? 300 : index === 7 ? Number.NaN : 100)),
    lower: new Float64Array(61).fill(90),
    upper: new Float64Array(61).fill(120),
  })),
};

/** Gives each of the pods that history. @param keys of the pods. */
export const histories = (...keys: string[]): HistoryOutcome => ({
  kind: 'histories',
  histories: new Map(keys.map((key) => [key, history])),
});

/** The markup of the page. @param outcome of the pass. */
export const pageOf = async (replaced: Replaced & { readonly outcome?: PassOutcome }, url = '/'): Promise<string> => {
  const { outcome = passOf(somePods), ...rest } = replaced;
  const app = createApp(fakeDependencies({ health: () => seasonedHealth, recentPass: async () => outcome, ...rest }));
  const { text } = await request(app)
    .get(url)
    .expect(200)
    .expect('Content-Type', /^text\/html/);
  return text;
};

/** What a person reads: without markup, entities resolved, spaces as one. */
export const wordsOf = (page: string) =>
  page
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replaceAll(/\s+/g, ' ');

/** The rows of the tables of pods. */
export const rowsOf = (page: string) => page.match(/<tr role="row"( class="flagged")?>\n<th role="rowheader"/g) ?? [];

/** What is said of each workload with a flagged pod, in words. */
export const incidentsOf = (page: string) => (page.match(/<li class="incident[\s\S]*?<\/li>/g) ?? []).map(wordsOf);
