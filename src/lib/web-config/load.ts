/** Reads the web configuration and the files that it names. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { readBoundedText, UnreadableFileError } from '../files/bounded-file.js';
import { MistakesError } from '../usage-error.js';
import { YamlReport } from '../yaml/report.js';
import type { TlsSettings, WebConfig } from './config.js';
import { type PemSource, parseWebConfig, type TlsSection } from './parse.js';

/** A configuration, and the files that it was read from. */
export interface LoadedWebConfig {
  readonly config: WebConfig;
  /** Paths, the configuration itself first. */
  readonly files: readonly string[];
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
  const report = new YamlReport(text, path, `the web configuration ${path}`);
  const { tls, headers, users, rateLimit } = parseWebConfig(report);
  const files = new FileReader(dirname(path), report);
  const settings = tls && (await readTls(tls, files, report));
  report.throwIfAny();
  return { config: { tls: settings, headers, users, rateLimit }, files: [path, ...files.paths] };
}

/** Reads the files that the configuration names; a file that cannot be read is a mistake of the configuration. */
class FileReader {
  readonly paths: string[] = [];
  readonly #folder: string;
  readonly #report: YamlReport;

  constructor(folder: string, report: YamlReport) {
    this.#folder = folder;
    this.#report = report;
  }

  async read(source: PemSource): Promise<string | undefined> {
    if ('text' in source) return source.text;
    const path = resolve(this.#folder, source.path);
    this.paths.push(path);
    try {
      return await readBoundedText(path);
    } catch (error) {
      if (!(error instanceof UnreadableFileError)) throw error;
      this.#report.add(source.offset, `cannot read ${path}: ${error.reason}.`);
      return undefined;
    }
  }
}

async function readTls(
  section: TlsSection,
  files: FileReader,
  report: YamlReport,
): Promise<TlsSettings | undefined> {
  const cert = await files.read(section.cert);
  const key = await files.read(section.key);
  const ca = section.clientCa && (await files.read(section.clientCa));
  const certificate = cert === undefined ? undefined : parse(() => new X509Certificate(cert));
  const privateKey = key === undefined ? undefined : parse(() => createPrivateKey(key));
  if (cert !== undefined && certificate === undefined) {
    report.add(section.cert.offset, 'expected a certificate in PEM, got something else.');
  }
  if (key !== undefined && privateKey === undefined) {
    report.add(
      section.key.offset,
      'expected a private key in PEM, without a passphrase, got something else.',
    );
  }
  if (section.clientCa !== undefined && ca !== undefined && !hasOnlyCertificates(ca)) {
    report.add(section.clientCa.offset, 'expected certificates in PEM, got something else.');
  }
  if (certificate === undefined || privateKey === undefined) return undefined;
  if (!certificate.checkPrivateKey(privateKey)) {
    report.add(section.key.offset, 'expected the key that belongs to the certificate, got another one.');
  }
  const context = { ...section.context, cert: cert ?? '', key: key ?? '', ...(ca !== undefined && { ca }) };
  report.throwIfAny();
  try {
    createSecureContext(context);
  } catch (error) {
    const { message } = error instanceof Error ? error : { message: String(error) };
    report.add(section.cert.offset, `expected settings that OpenSSL accepts, got "${message}".`);
  }
  const { clientAuthType, clientAllowedSans } = section;
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

/** OpenSSL ignores invalid blocks silently, and would then reject every client. */
function hasOnlyCertificates(pem: string): boolean {
  const blocks = pem.match(BLOCK) ?? [];
  return blocks.length > 0 && blocks.every((block) => parse(() => new X509Certificate(block)) !== undefined);
}
