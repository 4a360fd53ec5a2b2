/** The state of Prometheus, the model and the trainings, and what `check` found, in words. */

import { counted, formatDuration, formatNumber } from '../../../lib/text/format.js';
import { type Html, html, NO_HTML } from '../../../lib/text/html.js';
import type { HealthReport } from '../schemas.js';
import { timeElement } from './time.js';

const DAY_SECONDS = 86_400;

/** A state: always shown as a word, which the style may colour. */
type Mark = 'ok' | 'problem' | 'waiting';

/** A list of terms and descriptions. */
export function stateList(report: HealthReport, nowSeconds: number): Html {
  return html`<dl class="state">
${[prometheus(report, nowSeconds), model(report, nowSeconds), training(report, nowSeconds), report.history === null ? NO_HTML : history(report.history, nowSeconds), report.budget === null || report.history === null ? NO_HTML : budget(report.budget, nowSeconds), report.budget?.accepted_levels.length ? levels(report.budget.accepted_levels, nowSeconds) : NO_HTML, report.shard === null ? NO_HTML : shard(report.shard)]}
</dl>`;
}

function entry(term: string, mark: Mark, word: string, sentences: readonly Html[]): Html {
  return html`<div><dt>${term} <span class="mark ${mark}">${word}</span></dt>
<dd>${sentences.filter(({ markup }) => markup !== '')}</dd></div>`;
}

function failure(what: string, error: HealthReport['prometheus']['last_error'], nowSeconds: number): Html {
  return error === null ? NO_HTML : html`${what} ${timeElement(error.time, nowSeconds)}: ${error.message}`;
}

function prometheus({ prometheus: { url, up, last_error } }: HealthReport, nowSeconds: number): Html {
  const of = html`<bdi>${url}</bdi>`;
  const lastError = failure('Last failure', last_error, nowSeconds);
  if (up === null) {
    const sentence = html`${of} has not been queried for the current metrics yet.`;
    return entry('Prometheus', 'waiting', 'not asked yet', [sentence]);
  }
  if (up) return entry('Prometheus', 'ok', 'answers', [html`${of} answers.`, lastError]);
  const sentence = html`Queries to ${of} fail, so no pod can be scored.`;
  return entry('Prometheus', 'problem', 'failing', [sentence, lastError]);
}

function model({ model: state, training: trainings }: HealthReport, nowSeconds: number): Html {
  if (!state.trained) {
    const word = trainings.failures > 0 && !trainings.running ? 'none' : 'not yet';
    return entry('Model', trainings.failures > 0 ? 'problem' : 'waiting', word, [
      html`There is no model yet, so no pod is scored.`,
      trainings.running ? html`The first training is running.` : NO_HTML,
    ]);
  }
  // The training after the one of this model failed: what is usual may have changed.
  const isStale = isLater(trainings.last_error?.time, state.trained_at);
  const trainedAt = state.trained_at === null ? NO_HTML : html` ${timeElement(state.trained_at, nowSeconds)}`;
  return entry('Model', isStale ? 'problem' : 'ok', isStale ? 'stale' : 'trained', [
    html`Trained${trainedAt} on ${counted(state.samples ?? 0, 'sample')} of ${counted(state.pods ?? 0, 'pod')}; looks at ${state.features.join(', ')}.`,
    state.origin === 'snapshot' ? html`It was loaded at startup.` : NO_HTML,
    isStale ? html`The training after it failed, so it may not know what is usual now.` : NO_HTML,
  ]);
}

function training({ model: state, training: trainings }: HealthReport, nowSeconds: number): Html {
  const { running, runs, failures, last_error, last_success, next_run } = trainings;
  const hasFailed = last_error !== null && (last_success === null || isLater(last_error.time, last_success));
  const word = running ? 'running' : hasFailed ? 'failed' : runs === 0 ? 'waiting' : 'succeeded';
  return entry('Training', hasFailed ? 'problem' : state.trained ? 'ok' : 'waiting', word, [
    html`${counted(runs, 'training')} since startup, ${failures} failed.`,
    running ? html`A training is running.` : NO_HTML,
    next_run === null ? NO_HTML : html`The next training is due ${timeElement(next_run, nowSeconds)}.`,
    failure('Last failure', last_error, nowSeconds),
  ]);
}

function history(
  { days, known_days, missing_hours, workloads, failing, last_error }: NonNullable<HealthReport['history']>,
  nowSeconds: number,
): Html {
  const [mark, word] = failing
    ? (['problem', 'failing'] as const)
    : missing_hours > 1
      ? (['waiting', 'being read'] as const)
      : (['ok', 'known'] as const);
  return entry('History', mark, word, [
    html`Knows ${formatNumber(known_days)} of ${counted(days, 'day')} of ${counted(workloads, 'workload')}.`,
    missing_hours > 1 ? html`${counted(missing_hours, 'hour')} are still to be read from Prometheus.` : NO_HTML,
    failure('Last failure', last_error, nowSeconds),
  ]);
}

function budget(
  {
    per_day,
    expected_per_day,
    recent_workloads_per_day,
    last_day,
    counted_since,
    workloads,
    known_days,
  }: NonNullable<HealthReport['budget']>,
  nowSeconds: number,
): Html {
  const countedSeconds = nowSeconds - Date.parse(counted_since ?? '') / 1000;
  const span =
    countedSeconds < DAY_SECONDS ? `Since startup, ${formatDuration(countedSeconds)} ago,` : 'In the last day,';
  const came = html`${span} ${last_day === 0 ? 'no workload' : counted(last_day, 'workload')} had an anomaly that lasts; the budget is ${formatNumber(per_day)} a day when nothing is wrong.`;
  const rest = html`The boundaries of ${counted(workloads, 'workload')} rest on ${formatNumber(known_days)} days.`;
  if (expected_per_day === null || recent_workloads_per_day === null) {
    const sentence = html`Too little is known to say how many messages a day to expect.`;
    return entry('Messages', 'waiting', 'not known yet', [came, sentence, rest]);
  }
  return entry('Messages', 'ok', `${formatNumber(expected_per_day)} a day expected`, [
    came,
    html`On the last three days, ${counted(recent_workloads_per_day, 'workload')} a day exceeded their boundaries.`,
    rest,
  ]);
}

/** Levels that are shown; the others are in `/healthz`. */
const MOST_LEVELS = 10;

function levels(accepted: NonNullable<HealthReport['budget']>['accepted_levels'], nowSeconds: number): Html {
  const shown = accepted
    .slice(0, MOST_LEVELS)
    .map(
      ({ namespace, workload, feature, factor, began, accepted: since, with_release }) =>
        html`<bdi>${namespace}/${workload}</bdi> has ${formatNumber(factor)} times its usual ${feature} ${with_release ? 'with the release' : 'without a release'} ${timeElement(began, nowSeconds)}, accepted ${timeElement(since, nowSeconds)}. `,
    );
  const word = `${counted(accepted.length, 'level')} accepted on the last day`;
  return entry('Levels', 'ok', word, shown);
}

/** By times of ISO 8601; unknown ones are not later. */
const isLater = (time: string | undefined, than: string | null) => Date.parse(time ?? '') > Date.parse(than ?? '');

/** Where the cluster is split, the other pods are on the pages of the other shards. */
function shard({ ordinal, total, namespaces, message }: NonNullable<HealthReport['shard']>): Html {
  const watched =
    namespaces === null
      ? 'Prometheus has not returned the namespaces yet.'
      : `Watches ${counted(namespaces, 'namespace')}; the other shards have their own pages.`;
  const word = `${ordinal} of ${total}, counted from 0`;
  return entry('Shard', namespaces ? 'ok' : 'waiting', word, [html`${message ?? watched}`]);
}

/** The findings of one severity, as a section, those that warn with the failure of the last check; empty without findings. */
export function findingsSection(
  { check: { findings, last_error } }: HealthReport,
  severity: 'error' | 'warning',
  nowSeconds: number,
): Html {
  const own = findings.filter((finding) => finding.severity === severity);
  const failed = severity === 'warning' ? failure('The last check failed', last_error, nowSeconds) : NO_HTML;
  if (own.length === 0 && failed.markup === '') return NO_HTML;
  const items = own.map(
    ({ summary, meaning, advice, check, time }) =>
      html`<li><span class="mark ${severity === 'error' ? 'problem' : 'waiting'}">${severity}</span> ${summary}
${meaning ?? ''} ${advice ?? ''} <small>${check}, found ${timeElement(time, nowSeconds)}</small></li>`,
  );
  const id = `${severity}s`;
  return html`<section class="findings ${severity}" aria-labelledby="${id}"><h2 id="${id}">${severity === 'error' ? 'Faults of the installation: scores may be wrong' : 'Findings about the installation'}</h2>
${failed.markup === '' ? NO_HTML : html`<p>${failed}</p>`}
${items.length === 0 ? NO_HTML : html`<ul>${items}</ul>`}
</section>`;
}
