/** What the HTTP side asks of the rest of the program. */

import type { Detection, PassOutcome } from '../detection/detection.js';
import type { Access } from './access.js';
import type { HealthReport } from './schemas.js';
import type { HistoryOutcome } from './status-page/history-reader.js';

/** What a request says about the time it has. */
export interface ScrapeOptions {
  /** The time after which the caller gives up, in seconds, above 0; `undefined` when it did not say. */
  readonly scrapeTimeoutSeconds: number | undefined;
}

/** The work behind the endpoints. A rejection is a fault of the program and is answered with status 500. */
export interface AppDependencies {
  /** The metrics in Prometheus' text format, and the exact content type to send them with. */
  renderMetrics(options: ScrapeOptions): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Scores all pods now. Does not reject when Prometheus or the model fails: the outcome says so. */
  detect(options: ScrapeOptions): Promise<PassOutcome>;
  /** The outcome of a pass of the last seconds, whoever asked for it. Does not reject, as `detect`. */
  recentPass(): Promise<PassOutcome>;
  /** The last hour of some pods of a detection, by their rows. Does not reject: the outcome says why there is none. */
  history(detection: Detection, rows: readonly number[]): Promise<HistoryOutcome>;
  /** Unix time in milliseconds. */
  now(): number;
  /** The state of the exporter, from memory. */
  health(): HealthReport;
  /** Reports an error that no caller can handle. `context` is the request: `GET /metrics`. */
  logError(error: unknown, context: string): void;
  /** Who is let in, and how often. */
  readonly access: Access;
  /** Version of the exporter, without a leading `v`. */
  readonly version: string;
}
