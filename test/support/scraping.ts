/** An exporter seen from outside, as Prometheus and people see it. */

import { expect } from 'chai';
import { HealthReport } from '../../src/exporter/http/schemas.js';
import { exposedValue, samplesOf } from './exposition.js';
import { get } from './http-client.js';
import { eventually } from './waiting.js';

/** What Prometheus announces. Longer than the limits of these tests, so that a busy machine is no failure. */
const SCRAPE_TIMEOUT_SECONDS = 20;

/**
 * One scrape; fails when it takes longer than announced, or when its text is not strictly what it should be.
 *
 * @param announcedSeconds what the exporter is told, when that shall be less than what it really has.
 */
export async function scrape(url: string, announcedSeconds = SCRAPE_TIMEOUT_SECONDS): Promise<string> {
  const started = performance.now();
  const { status, text } = await get(`${url}/metrics`, {
    'X-Prometheus-Scrape-Timeout-Seconds': String(announcedSeconds),
  });
  expect(status).to.equal(200);
  expect((performance.now() - started) / 1000, 'seconds for a scrape').to.be.below(SCRAPE_TIMEOUT_SECONDS);
  // The parser refuses what is not valid.
  expect(exposedValue(text, 'k8s_anomaly_detector_build_info')).to.equal(1);
  return text;
}

export async function healthOf(url: string): Promise<HealthReport> {
  return HealthReport.parse(JSON.parse((await get(`${url}/healthz`)).text));
}

/** Waits for the first model. */
export async function untilTrained(url: string): Promise<void> {
  await eventually(async () => expect((await healthOf(url)).model.trained).to.equal(true));
}

/** `namespace/pod` of all pods with a flag, be it 0 or 1. */
export function podsIn(text: string): string[] {
  return samplesOf(text, 'anomaly_flag').map(({ labels: { namespace, pod } }) => `${namespace}/${pod}`);
}

/** `namespace/pod` of the pods whose flag is 1. */
export function flaggedIn(text: string): string[] {
  return samplesOf(text, 'anomaly_flag')
    .filter(({ value }) => value === 1)
    .map(({ labels: { namespace, pod } }) => `${namespace}/${pod}`);
}

/** Fails when anything is said of any pod. */
export function expectNoPods(text: string): void {
  expect(text).not.to.match(/^anomaly_/m);
}
