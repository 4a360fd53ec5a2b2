/** Certificates as people make them, by openssl, in files. */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An authority in the folder: `<name>.crt` and `<name>.key`. */
export function createAuthority(folder: string, name: string): void {
  openssl(folder, [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`],
  ]);
}

/**
 * A certificate that the authority has signed: `<name>.crt` and `<name>.key`.
 *
 * @param subjectAltName as openssl wants it: `DNS:prometheus,IP:127.0.0.1`.
 */
export function createSigned(
  folder: string,
  { name, authority, subjectAltName }: { name: string; authority: string; subjectAltName: string },
): void {
  openssl(folder, [
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`],
    ...['-keyout', `${name}.key`, '-out', `${name}.csr`],
  ]);
  writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${subjectAltName}\n`);
  openssl(folder, [
    ...['x509', '-req', '-in', `${name}.csr`, '-CA', `${authority}.crt`, '-CAkey', `${authority}.key`],
    ...['-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.crt`],
  ]);
}

function openssl(folder: string, parameters: readonly string[]): void {
  execFileSync('openssl', parameters, { cwd: folder, stdio: 'pipe', timeout: 20_000 });
}
