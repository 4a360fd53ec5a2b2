/** What must hold of the settings of the connection together. */

import { UnreadableFileError } from '../../lib/files/bounded-file.js';
import { certificateMistake, keyPairMistake } from '../prometheus/tls.js';
import { SETTINGS, type Settings } from './settings.js';

/**
 * A sentence for each mistake.
 *
 * @param settings those that are valid on their own.
 * @param readFile the text of a file.
 */
export function connectionMistakes(settings: Partial<Settings>, readFile: (path: string) => string): string[] {
  return [...authenticationMistakes(settings), ...tlsMistakes(settings, readFile)];
}

function authenticationMistakes(settings: Partial<Settings>): string[] {
  const mistakes: string[] = [];
  const { username, password } = new URL(settings.prometheusUrl ?? 'http://unknown');
  const ways = [
    (username || password) && 'a user in PROMETHEUS_URL',
    settings.prometheusUsername && 'PROMETHEUS_USERNAME',
    settings.prometheusBearerToken && 'PROMETHEUS_BEARER_TOKEN',
    settings.prometheusHeaders?.some(([name]) => name.toLowerCase() === 'authorization') &&
      'Authorization in PROMETHEUS_HEADERS',
  ].filter(Boolean);
  if (ways.length > 1) {
    mistakes.push(`${ways.join(', ')}: expected one way to log in, got ${ways.length}. Leave the others out.`);
  }
  if (settings.prometheusPassword && settings.prometheusUsername === '') {
    mistakes.push(
      'PROMETHEUS_PASSWORD: expected PROMETHEUS_USERNAME with it, got no user. Example: PROMETHEUS_USERNAME="watcher"',
    );
  }
  return mistakes;
}

function tlsMistakes(settings: Partial<Settings>, readFile: (path: string) => string): string[] {
  const mistakes: string[] = [];
  /** The text of the file that a setting names; its mistakes are noted. */
  const read = (name: string, path: string | undefined, mistakeOf: (text: string) => string | undefined) => {
    if (!path) return undefined;
    try {
      const text = readFile(path);
      const mistake = mistakeOf(text);
      if (mistake === undefined) return text;
      mistakes.push(`${name}: ${mistake}, at ${path}.`);
    } catch (error) {
      if (!(error instanceof UnreadableFileError)) throw error;
      mistakes.push(`${name}: cannot read ${path}: ${error.reason}.`);
    }
    return undefined;
  };
  const { prometheusCaFile: caFile, prometheusCertFile: certFile, prometheusKeyFile: keyFile } = settings;
  read('PROMETHEUS_CA_FILE', caFile, certificateMistake);
  const cert = read('PROMETHEUS_CERT_FILE', certFile, certificateMistake);
  const key = read('PROMETHEUS_KEY_FILE', keyFile, () => undefined);
  if (certFile && keyFile === '') {
    mistakes.push('PROMETHEUS_CERT_FILE: expected PROMETHEUS_KEY_FILE with it, got no key.');
  }
  if (keyFile && certFile === '') {
    mistakes.push('PROMETHEUS_KEY_FILE: expected PROMETHEUS_CERT_FILE with it, got no certificate.');
  }
  if (cert !== undefined && key !== undefined) {
    const mistake = keyPairMistake({ cert, key });
    if (mistake !== undefined) mistakes.push(`PROMETHEUS_KEY_FILE: ${mistake}, at ${keyFile}.`);
  }
  return mistakes;
}

/** Sentences on settings that are valid and probably a mistake. */
export function connectionWarnings(settings: Settings): string[] {
  const warnings: string[] = [];
  if (settings.insecureSkipVerify) {
    warnings.push(
      'INSECURE_SKIP_VERIFY: every certificate is accepted, so a man in the middle can read and change everything ' +
        'that is sent and received. Name the authority in PROMETHEUS_CA_FILE instead.',
    );
  }
  if (/^http:/i.test(settings.prometheusUrl)) {
    const idle = [
      settings.prometheusCaFile && 'PROMETHEUS_CA_FILE',
      settings.prometheusCertFile && 'PROMETHEUS_CERT_FILE',
      settings.prometheusServerName && 'PROMETHEUS_SERVER_NAME',
    ].filter(Boolean);
    if (idle.length > 0) {
      warnings.push(`${idle.join(', ')}: without effect, since PROMETHEUS_URL begins with http://.`);
    }
  }
  if (settings.metricsSource !== 'opentelemetry' && settings.otlpTranslation !== SETTINGS.otlpTranslation.default) {
    warnings.push('OTLP_TRANSLATION_STRATEGY: without effect, since METRICS_SOURCE is not opentelemetry.');
  }
  return warnings;
}
