/** The web configuration as it is now: files that change are read again, and what is broken changes nothing. */

import { WatchedFile } from '../files/watched-file.js';
import type { Logger } from '../logging/logger.js';
import { MistakesError } from '../usage-error.js';
import { OPEN, type TlsSettings, type WebConfig, webConfigWarnings } from './config.js';
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
 * @throws {MistakesError} when the configuration is wrong.
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
  readonly #watched: WatchedFile<LoadedWebConfig>;
  #lastSuccessSeconds: number;
  #timer: NodeJS.Timeout | undefined;
  #onTls: (tls: TlsSettings) => void = () => {};

  /** @throws {MistakesError} when the configuration is wrong: without one that was right, there is nothing to keep. */
  static async open(options: LiveWebConfigOptions): Promise<LiveWebConfig> {
    let live: LiveWebConfig | undefined;
    const watched = await WatchedFile.open<LoadedWebConfig>({
      read: async (previous) => {
        const loaded = await loadWebConfig(options.path);
        if (previous !== undefined) requireSameKind(options.path, previous.config, loaded.config);
        return loaded;
      },
      filesOf: ({ files }) => files,
      onRead: ({ config }, previous, recovered) => {
        if (live !== undefined) live.#take(config, previous.config, recovered);
      },
      onFailure: (reason) =>
        options.logger.warn(
          {},
          `Reloading the web configuration failed; the previous one stays active. ${reason}`,
        ),
    });
    live = new LiveWebConfig(options, watched);
    live.#warnOfOddities();
    return live;
  }

  private constructor(options: LiveWebConfigOptions, watched: WatchedFile<LoadedWebConfig>) {
    this.#options = options;
    this.#watched = watched;
    this.#lastSuccessSeconds = options.now() / 1000;
  }

  get current(): WebConfig {
    return this.#watched.current.config;
  }

  get state(): ReloadState {
    return { successful: !this.#watched.failed, lastSuccessSeconds: this.#lastSuccessSeconds };
  }

  /** Calls the listener when a certificate, a key, an authority or names of clients have changed. */
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
    return this.#watched.refresh();
  }

  #take(config: WebConfig, previous: WebConfig, recovered: boolean): void {
    this.#lastSuccessSeconds = this.#options.now() / 1000;
    const { tls } = config;
    if (tls !== undefined && JSON.stringify(previous.tls) !== JSON.stringify(tls)) this.#onTls(tls);
    if (!recovered && textOf(previous) === textOf(config)) return;
    this.#options.logger.info({}, 'Reloaded the web configuration.');
    this.#warnOfOddities();
  }

  #warnOfOddities(): void {
    for (const warning of webConfigWarnings(this.current)) this.#options.logger.warn({}, warning);
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
  if (mistakes.length > 0) throw new MistakesError(`the web configuration ${path}`, mistakes);
}

/** All that a configuration says. It has secrets. */
function textOf({ tls, headers, users, rateLimit }: WebConfig): string {
  return JSON.stringify([tls, [...headers], [...users], rateLimit]);
}
