/** From the settings to an open Prometheus, for every command that queries it. */

import { readBoundedTextSync } from '../lib/files/bounded-file.js';
import type { Settings } from './config/settings.js';
import type { FeatureSet } from './features/queries/feature-file.js';
import type { PrometheusApi, PrometheusServerApi } from './prometheus/api.js';
import { PrometheusClient, type PrometheusClientOptions } from './prometheus/client.js';
import type { Authentication, PrometheusConnection, RenewableText } from './prometheus/connection.js';
import { isSecretParameter, TENANT_HEADER } from './prometheus/redaction.js';
import { parseBaseUrl } from './prometheus/url.js';
import { shardingPlanOf } from './sharding/plan.js';
import { type ShardingPlan, ShardNamespaces } from './sharding/shard-namespaces.js';
import { ShardedPrometheus } from './sharding/sharded-prometheus.js';

/** Where the data comes from. Plain data, from which each thread opens its own client. */
export interface PrometheusSource {
  readonly connection: PrometheusConnection;
  /** `undefined`: all namespaces. */
  readonly sharding: ShardingPlan | undefined;
}

export interface OpenPrometheus {
  readonly source: PrometheusSource;
  /** Narrowed to the namespaces of the shard. */
  readonly api: PrometheusServerApi;
  /** Not narrowed: for questions that name their pods. */
  readonly wholeApi: PrometheusApi;
  /** Those of the shard; `undefined` for all. */
  readonly namespaces: ShardNamespaces | undefined;
}

export interface OpenOptions extends PrometheusClientOptions {
  /** Unix time in milliseconds. A clock that stands still keeps the first list of namespaces. */
  readonly now: () => number;
  /** Called with the first list of the shard's namespaces, and with each one that differs. */
  readonly onNamespaces?: (namespaces: readonly string[]) => void;
  /** How far back queries reach, in seconds; the lookback of trainings if unset. */
  readonly windowSeconds?: number;
}

/**
 * Opens the Prometheus of the settings, narrowed to their shard.
 *
 * @throws {UnreadableFileError} when a file of certificates has gone since the settings were read.
 */
export function openPrometheus(settings: Settings, featureSet: FeatureSet, options: OpenOptions): OpenPrometheus {
  const sharding = shardingPlanOf(settings, featureSet, options.windowSeconds);
  return openSource({ connection: prometheusConnection(settings), sharding }, options);
}

/** Opens a source, which another thread may have described. */
export function openSource(source: PrometheusSource, options: OpenOptions): OpenPrometheus {
  const { now, onNamespaces: onChange, onWarning } = options;
  const client = new PrometheusClient(source.connection, options);
  if (source.sharding === undefined) return { source, api: client, wholeApi: client, namespaces: undefined };
  const namespaces = new ShardNamespaces(client, {
    plan: source.sharding,
    now,
    ...(onWarning && { onWarning }),
    ...(onChange && { onChange }),
  });
  return { source, api: new ShardedPrometheus(client, namespaces), wholeApi: client, namespaces };
}

/** Names and addresses of this machine, as `URL` writes them. */
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** On this machine, bytes cost less than what makes them fewer. */
function wantsCompression({ prometheusCompression, prometheusUrl, prometheusProxyUrl }: Settings): boolean {
  if (prometheusCompression !== 'auto') return prometheusCompression === 'on';
  return prometheusProxyUrl !== '' || !LOOPBACK.test(new URL(prometheusUrl).hostname);
}

/**
 * Reads the certificates that the settings name.
 *
 * @throws {UnreadableFileError} when a file has gone since the settings were read.
 */
export function prometheusConnection(settings: Settings): PrometheusConnection {
  return {
    baseUrl: settings.prometheusUrl,
    method: settings.prometheusHttpMethod,
    headers: Object.fromEntries(settings.prometheusHeaders),
    queryParameters: settings.prometheusQueryParameters,
    authentication: authentication(settings),
    tls: {
      ca: textOf(settings.prometheusCaFile),
      cert: textOf(settings.prometheusCertFile),
      key: textOf(settings.prometheusKeyFile),
      serverName: settings.prometheusServerName || undefined,
      insecureSkipVerify: settings.insecureSkipVerify,
    },
    proxyUrl: settings.prometheusProxyUrl || undefined,
    compression: wantsCompression(settings),
    maxResponseBytes: settings.prometheusMaxResponseBytes,
  };
}

/**
 * What distinguishes the data of a source from other data, without secrets: the address, tenant, parameters and shard.
 * A model of other namespaces is of no use.
 */
export function describeSource({ connection, sharding }: PrometheusSource): readonly string[] {
  const { baseUrl, headers, queryParameters } = connection;
  const pairs = [
    ...Object.entries(headers).filter(([name]) => TENANT_HEADER.test(name)),
    ...queryParameters.filter(([name]) => !isSecretParameter(name)),
  ];
  return [
    parseBaseUrl(baseUrl).display,
    ...pairs.map(([name, value]) => `${name}=${value}`),
    ...(sharding === undefined ? [] : [`shard ${sharding.shard.ordinal} of ${sharding.shard.total}`]),
  ];
}

function authentication(settings: Settings): Authentication | undefined {
  const secret = (name: 'prometheusBearerToken' | 'prometheusPassword'): RenewableText => ({
    text: settings[name],
    file: settings.secretFiles[name],
  });
  const { prometheusBearerToken: token, prometheusUsername: username } = settings;
  if (token !== '') return { kind: 'bearer', token: secret('prometheusBearerToken') };
  if (username === '') return undefined;
  return { kind: 'basic', username, password: secret('prometheusPassword') };
}

function textOf(file: string): RenewableText | undefined {
  return file === '' ? undefined : { text: readBoundedTextSync(file), file };
}
