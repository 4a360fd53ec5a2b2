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
      if (previous !== undefined) requireSameKind(path, previous.config, loaded.config);
      return loaded;
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
