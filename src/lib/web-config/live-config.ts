/** The web configuration as it is now: files that change are read again, and invalid ones change nothing. */

import { LiveFile, type ReloadState } from '../files/live-file.js';
import type { Logger } from '../logging/logger.js';
import { MistakesError } from '../usage-error.js';
import { OPEN, type TlsSettings, type WebConfig } from './config.js';
import { type LoadedWebConfig, loadWebConfig } from './load.js';

/** A web configuration that keeps itself up to date. */
export interface WebConfigSource {
  readonly current: WebConfig;
  /** `undefined` without a file. */
  readonly state: ReloadState | undefined;
  /** Calls the listener when a certificate, a key, an authority or names of clients have changed. */
  onTls(listener: (tls: TlsSettings) => void): void;
  /** Ends the watch for changes. */
  close(): void;
}

/** `now` is Unix time in milliseconds. */
type Surroundings = { readonly logger: Logger; readonly now: () => number };

/**
 * The configuration at `path`, checked every second. An empty path is no configuration: plain HTTP for everybody.
 *
 * @throws {MistakesError} when the configuration is invalid.
 */
export async function openWebConfig(path: string, surroundings: Surroundings): Promise<WebConfigSource> {
  if (path === '') return { current: OPEN, state: undefined, onTls: () => {}, close: () => {} };
  return (await liveWebConfig(path, surroundings)).watch();
}

/**
 * Reads the configuration, and again whenever `refresh` finds that one of its files has changed, and after a failure.
 * `refresh` does not reject, and does not overlap.
 *
 * @throws {MistakesError} when the configuration is invalid: there is no valid one yet that could stay.
 */
export async function liveWebConfig(path: string, { logger, now }: Surroundings) {
  let onTls: (tls: TlsSettings) => void = () => {};
  const warnIfUnsafe = ({ users, tls }: WebConfig) => {
    if (users.size > 0 && tls === undefined) logger.warn({}, PASSWORDS_IN_THE_CLEAR);
  };
  const live = await LiveFile.open<LoadedWebConfig>({
    what: 'web configuration',
    logger,
    now,
    read: async (previous) => {
      const loaded = await loadWebConfig(path);
      if (previous === undefined) return loaded;
      requireNoneMissing(path, previous, loaded);
      const isCut = previous.wholeText.startsWith(loaded.wholeText);
      return isCut ? { ...loaded, wholeText: previous.wholeText } : loaded;
    },
    filesOf: ({ files }) => files,
    onRead: ({ config }, { config: previous }, recovered) => {
      const { tls } = config;
      if (tls !== undefined && JSON.stringify(previous.tls) !== JSON.stringify(tls)) onTls(tls);
      if (!recovered && textOf(previous) === textOf(config)) return;
      logger.info({}, 'Reloaded the web configuration.');
      warnIfUnsafe(config);
    },
  });
  warnIfUnsafe(live.current.config);
  if (live.current.keys.size === 0) logger.warn({}, EMPTY);
  const source = {
    get current(): WebConfig {
      return live.current.config;
    },
    get state(): ReloadState {
      return live.state;
    },
    onTls(listener: (tls: TlsSettings) => void): void {
      onTls = listener;
    },
    refresh: () => live.refresh(),
    close: () => live.close(),
    watch() {
      live.watch();
      return source;
    },
  };
  return source;
}

const PASSWORDS_IN_THE_CLEAR =
  'The web configuration has basic_auth_users without tls_server_config: anyone on the network path can read the passwords. ' +
  'Add tls_server_config, unless a proxy in front of this server uses TLS.';

const EMPTY =
  'The web configuration is empty, so anyone who can reach the port can read everything. If it was half written at the start, ' +
  'restart; else remove WEB_CONFIG_FILE.';

/**
 * Refuses what a listening server cannot do, and what a file may lack because it is half written, by an editor that empties it
 * first or by a process that ended in the middle: whatever narrows access would be lost. So keys can be added and changed, and
 * users removed, while the server runs; to remove a key, or the last user, takes a restart.
 *
 * @throws {MistakesError} with all of it.
 */
function requireNoneMissing(path: string, before: LoadedWebConfig, after: LoadedWebConfig): void {
  const kindOf = ({ config }: LoadedWebConfig) => config.tls?.clientAuthType ?? 'no TLS';
  const mistakes: string[] = [];
  if (kindOf(before) !== kindOf(after)) {
    mistakes.push(
      'tls_server_config: turning TLS on or off and another client_auth_type take effect at a restart only: ' +
        `expected ${kindOf(before)}, as at the start, got ${kindOf(after)}.`,
    );
  }
  if (before.config.users.size > 0 && after.config.users.size === 0) {
    mistakes.push(
      'basic_auth_users: turning the log-in off takes effect at a restart only: expected at least one user, as ' +
        'before, got none.',
    );
  }
  if (before.config.rateLimit !== undefined && after.config.rateLimit === undefined) {
    mistakes.push(
      'rate_limit: turning the limit off takes effect at a restart only: expected one, as before, got none.',
    );
  }
  const missing = [...before.keys].filter((key) => !after.keys.has(key) && key !== 'basic_auth_users');
  if (missing.length > 0 && mistakes.length === 0) {
    mistakes.push(
      `${missing.join(', ')}: removing a key takes effect at a restart only: expected it, as before, got none. A file that ` +
        'is half written lacks it, too.',
    );
  }
  const { wholeText } = before;
  const isLineExpected = wholeText.endsWith('\n') || wholeText.startsWith(after.wholeText);
  if (mistakes.length === 0 && after.wholeText !== wholeText && isLineExpected && !after.wholeText.endsWith('\n')) {
    mistakes.push(
      'expected a line break at the end of the file, got none: it may be half written. Add one, or restart.',
    );
  }
  if (mistakes.length > 0) throw new MistakesError(`the web configuration ${path}`, mistakes);
}

/** All that a configuration says. It has secrets. */
function textOf({ tls, headers, users, rateLimit }: WebConfig): string {
  return JSON.stringify([tls, [...headers], [...users], rateLimit]);
}
