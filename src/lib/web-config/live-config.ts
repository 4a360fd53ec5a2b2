/** The web configuration as it is now: files that change are read again, and what is broken changes nothing. */

import { stat } from 'node:fs/promises';
import type { Logger } from '../logging/logger.js';
import { OPEN, type TlsSettings, type WebConfig, WebConfigError, webConfigWarnings } from './config.js';
import { type LoadedWebConfig, loadWebConfig } from './load.js';

/** How the last reading went. */
export interface ReloadState {
  readonly successful: boolean;
  /** End of the last reading that succeeded, Unix time. */
  readonly lastSuccessSeconds: number;
}

/** What a `LiveWebConfig` needs. */
export interface LiveWebConfigOptions {
  readonly path: string;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A web configuration that keeps itself up to date. */
export interface WebConfigSource {
  readonly current: WebConfig;
  /** `undefined` without a file. */
  readonly state: ReloadState | undefined;
  onTls(listener: (tls: TlsSettings) => void): void;
  /** Looks for changes no more. */
  close(): void;
}

/**
 * How often the files are looked at, whether requests come or not: so a mistake is in the log and in the metrics before
 * somebody needs the certificate, and no request waits for a disk.
 */
const INTERVAL_MILLISECONDS = 1_000;

/**
 * The configuration at `path`, looked after every second. An empty path is no configuration: plain HTTP for everybody.
 *
 * @throws {WebConfigError} when the configuration is wrong.
 */
export async function openWebConfig(
  path: string,
  options: Omit<LiveWebConfigOptions, 'path'>,
): Promise<WebConfigSource> {
  if (path === '') return { current: OPEN, state: undefined, onTls: () => {}, close: () => {} };
  const live = await LiveWebConfig.open({ path, ...options });
  live.watch();
  return live;
}

/** Reads the file once, and again whenever `refresh` finds that one of its files has changed. */
export class LiveWebConfig implements WebConfigSource {
  readonly #options: LiveWebConfigOptions;
  #loaded: LoadedWebConfig;
  #signature: string;
  #state: ReloadState;
  #warning: string | undefined;
  #refreshing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #onTls: (tls: TlsSettings) => void = () => {};

  /** @throws {WebConfigError} when the configuration is wrong: without one that was right, there is nothing to keep. */
  static async open(options: LiveWebConfigOptions): Promise<LiveWebConfig> {
    const { files } = await loadWebConfig(options.path);
    // Older than what is read below: what changes in between is found by the next refresh.
    const signature = await signatureOf(files);
    const live = new LiveWebConfig(options, await loadWebConfig(options.path), signature);
    live.#warnOfOddities();
    return live;
  }

  private constructor(options: LiveWebConfigOptions, loaded: LoadedWebConfig, signature: string) {
    this.#options = options;
    this.#loaded = loaded;
    this.#signature = signature;
    this.#state = { successful: true, lastSuccessSeconds: options.now() / 1000 };
  }

  get current(): WebConfig {
    return this.#loaded.config;
  }

  get state(): ReloadState {
    return this.#state;
  }

  /** Who is told of a certificate, a key, an authority or names of clients that are new. */
  onTls(listener: (tls: TlsSettings) => void): void {
    this.#onTls = listener;
  }

  /** Looks for changes every second, until `close`. Does not keep the process alive. */
  watch(): void {
    this.#timer = setInterval(() => void this.refresh(), INTERVAL_MILLISECONDS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Reads again what has changed, and after a failure in any case. Does not reject, and does not overlap. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<void> {
    const signature = await signatureOf(this.#loaded.files);
    if (this.#state.successful && signature === this.#signature) return;
    try {
      const loaded = await loadWebConfig(this.#options.path);
      const before = this.current.tls;
      const after = loaded.config.tls;
      requireSameKind(this.#options.path, this.current, loaded.config);
      const isNews = !this.#state.successful || textOf(this.current) !== textOf(loaded.config);
      // Older than what was read, and of the files that were named before: a difference is read once more.
      this.#signature = signature;
      this.#loaded = loaded;
      if (after !== undefined && JSON.stringify(before) !== JSON.stringify(after)) this.#onTls(after);
      this.#state = { successful: true, lastSuccessSeconds: this.#options.now() / 1000 };
      this.#warning = undefined;
      if (isNews) {
        this.#options.logger.info({}, 'Read the web configuration again; what it says now is in use.');
        this.#warnOfOddities();
      }
    } catch (error) {
      this.#state = { ...this.#state, successful: false };
      this.#warn(error);
    }
  }

  #warnOfOddities(): void {
    for (const warning of webConfigWarnings(this.current)) this.#options.logger.warn({}, warning);
  }

  /** Once for each mistake, not every second. */
  #warn(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (message === this.#warning) return;
    this.#warning = message;
    this.#options.logger.warn(
      {},
      `The web configuration has changed and is not used; the old one stays. ${message}`,
    );
  }
}

/** What a listening server cannot do, and what it does not do for a file that may be half written. */
function requireSameKind(path: string, before: WebConfig, after: WebConfig): void {
  const kindOf = ({ tls }: WebConfig) => tls?.clientAuthType ?? 'no TLS';
  const mistakes: string[] = [];
  if (kindOf(before) !== kindOf(after)) {
    mistakes.push(
      'tls_server_config: turning TLS on or off and another client_auth_type take effect at a restart only: ' +
        `expected ${kindOf(before)}, as at the start, got ${kindOf(after)}.`,
    );
  }
  // An editor that empties the file before it writes would open the service to everybody.
  if (before.users.size > 0 && after.users.size === 0) {
    mistakes.push(
      'basic_auth_users: turning the log-in off takes effect at a restart only: expected at least one user, as ' +
        'before, got none.',
    );
  }
  if (mistakes.length > 0) throw new WebConfigError(path, mistakes);
}

/** All that a configuration says. It has secrets. */
function textOf({ tls, headers, users, rateLimit }: WebConfig): string {
  return JSON.stringify([tls, [...headers], [...users], rateLimit]);
}

/** Differs when a file was written, replaced or removed. Kubernetes replaces the target of a symbolic link. */
async function signatureOf(files: readonly string[]): Promise<string> {
  const parts = await Promise.all(
    files.map(async (file) => {
      try {
        const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
        return [ino, size, mtimeNs, ctimeNs].join(' ');
      } catch {
        return 'none';
      }
    }),
  );
  return parts.join('\n');
}
