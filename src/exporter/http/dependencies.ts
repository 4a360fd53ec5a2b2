/** What the HTTP side asks of the rest of the program. */

import type { ContextState } from '../context/pod-context.js';
import type { Detection, PassOutcome } from '../detection/detection.js';
import type { EpisodesState } from '../episodes/episodes.js';
import type { ForecastState } from '../forecast/forecast-state.js';
import type { Access } from './access.js';
import type { HealthReport } from './schemas.js';
import type { DayOutcome } from './status-page/day-reader.js';
import type { HistoryOutcome } from './status-page/history-reader.js';

/** Metrics in Prometheus' text format, and the exact content type to send them with. */
export interface RenderedMetrics {
  readonly contentType: string;
  readonly body: string;
}

/** The work behind the endpoints. A rejection is a bug of the program and is answered with status 500. */
export interface Exporter {
  /**
   * The metrics. Callers who share a pass get the same object.
   *
   * @param scrapeTimeoutSeconds after this time the caller gives up; `undefined` when the caller did not say.
   */
  renderMetrics(scrapeTimeoutSeconds: number | undefined): Promise<RenderedMetrics>;
  /** Scores all pods of the newest minute, once for all who ask within it. Does not reject when Prometheus or the model fails: the outcome says so. */
  detect(scrapeTimeoutSeconds: number | undefined): Promise<PassOutcome>;
  /** As `detect`, for people who look: a failure is shown again for some seconds. */
  recentPass(): Promise<PassOutcome>;
  /** The anomalies that last, and those that ended lately, as the last pass left them. */
  episodes(): EpisodesState;
  /** What is known of the flagged pods, as Prometheus last answered. */
  context(): ContextState;
  /** Which pods run full of memory, as it was last forecast. */
  forecast(): ForecastState;
  /** The last hour of some pods of a detection, by their rows. Does not reject: a failure is an outcome. */
  history(detection: Detection, rows: readonly number[]): Promise<HistoryOutcome>;
  /** The last two days of a pod of a detection, by its row. Does not reject: a failure is an outcome. */
  day(detection: Detection, row: number): Promise<DayOutcome>;
  /** The state of the exporter, from memory. */
  health(): HealthReport;
}

/** What the application is made of. */
export interface AppDependencies {
  readonly exporter: Exporter;
  readonly access: Access;
  /** Unix time in milliseconds. */
  now(): number;
  /** Reports an error that no caller can handle. `context` is the request: `GET /metrics`. */
  logError(error: unknown, context: string): void;
  /** Version of the exporter, without a leading `v`. */
  readonly version: string;
  /** Address of the dashboard in Grafana; empty where nobody said it. */
  readonly dashboardUrl: string;
}
