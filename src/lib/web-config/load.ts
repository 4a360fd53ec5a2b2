/** Reads the web configuration and the files that it names. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { readBoundedText, UnreadableFileError } from '../files/bounded-file.js';
import { messageOf } from '../logging/message-of.js';
import { MistakesError } from '../usage-error.js';
import { YamlFile } from '../yaml/yaml-file.js';
import type { TlsSettings, WebConfig } from './config.js';
import { type PemSource, parseWebConfig, presentKeys, type TlsSection } from './parse.js';

/** A configuration, and the files that it was read from. */
export interface LoadedWebConfig {
  readonly config: WebConfig;
  /** Paths, the configuration itself first. */
  readonly files: readonly string[];
  /** Of the file, or of the one before whose beginning it is; it has secrets. */
  readonly wholeText: string;
  /** As of `presentKeys`. */
  readonly keys: ReadonlySet<string>;
}

/**
 * The configuration at `path`.
 *
 * @param path relative to the working directory, or absolute; paths within the file are relative to its folder.
 * @throws {MistakesError} when a file cannot be read or is wrong, with all mistakes and no secret.
 */
export async function loadWebConfig(path: string): Promise<LoadedWebConfig> {
  const text = await readBoundedText(path).catch((error: unknown) => {
    if (!(error instanceof UnreadableFileError)) throw error;
    throw new MistakesError(`the web configuration ${path}`, [
      `WEB_CONFIG_FILE: cannot read ${path}: ${error.reason}. ` +
        'Example: WEB_CONFIG_FILE="/etc/detector/web-config.yaml"',
    ]);
  });
  const yaml = new YamlFile(text, path, `the web configuration ${path}`);
  const { tls: section, headers, users, rateLimit } = parseWebConfig(yaml);
  const files = [path];
  const pemOf = async (source: PemSource): Promise<string | undefined> => {
    if ('text' in source) return source.text;
    const file = resolve(dirname(path), source.path);
    files.push(file);
    return readBoundedText(file).catch((error: unknown) => {
      if (!(error instanceof UnreadableFileError)) throw error;
      yaml.add(source.at, `cannot read ${file}: ${error.reason}.`);
      return undefined;
    });
  };
  const tls = section && (await readTls(section, pemOf, yaml));
  yaml.throwIfAny();
  return { config: { tls, headers, users, rateLimit }, files, wholeText: text, keys: presentKeys(yaml) };
}

/** @param pemOf reads what a source names; `undefined` if it cannot be read, which is reported. */
async function readTls(
  { cert: certSource, key: keySource, clientCa, clientAuthType, clientAllowedSans, ...rest }: TlsSection,
  pemOf: (source: PemSource) => Promise<string | undefined>,
  yaml: YamlFile,
): Promise<TlsSettings | undefined> {
  const cert = await pemOf(certSource);
  const key = await pemOf(keySource);
  const ca = clientCa && (await pemOf(clientCa));
  const certificate = cert === undefined ? undefined : parse(() => new X509Certificate(cert));
  const privateKey = key === undefined ? undefined : parse(() => createPrivateKey(key));
  const refuse = ({ at }: PemSource, expected: string, got = 'something else') =>
    yaml.add(at, `expected ${expected}, got ${got}.`);
  if (cert !== undefined && (certificate === undefined || !hasWholeBlocks(cert))) {
    refuse(certSource, 'a certificate in PEM');
  }
  if (key !== undefined && privateKey === undefined) {
    refuse(keySource, 'a private key in PEM, without a passphrase');
  }
  if (clientCa && ca !== undefined && !hasOnlyCertificates(ca)) refuse(clientCa, 'certificates in PEM');
  if (cert === undefined || key === undefined || !certificate || !privateKey) return undefined;
  if (!certificate.checkPrivateKey(privateKey)) {
    refuse(keySource, 'the key that belongs to the certificate', 'another one');
  }
  yaml.throwIfAny();
  const context = { ...rest.context, cert, key, ...(ca !== undefined && { ca }) };
  try {
    createSecureContext(context);
  } catch (error) {
    refuse(certSource, 'settings that OpenSSL accepts', `"${messageOf(error)}"`);
  }
  return { context, clientAuthType, clientAllowedSans };
}

function parse<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const BLOCK = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

/** Whether each block has its end: a file that is half written has not. */
function hasWholeBlocks(pem: string): boolean {
  const whole = pem.match(/-----BEGIN ([^-]+)-----[^-]*-----END \1-----/g) ?? [];
  return pem.split('-----BEGIN ').length === whole.length + 1;
}

/** OpenSSL ignores invalid blocks silently, and would then reject every client. */
function hasOnlyCertificates(pem: string): boolean {
  const blocks = pem.match(BLOCK) ?? [];
  return (
    blocks.length > 0 &&
    hasWholeBlocks(pem) &&
    blocks.every((block) => parse(() => new X509Certificate(block)) !== undefined)
  );
}
