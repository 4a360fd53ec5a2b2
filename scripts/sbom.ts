/** The bill of materials of the production dependencies, from npm's own command. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Manifest {
  readonly name: string;
  readonly devDependencies?: unknown;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devDependencies?: unknown }>>;
}

/**
 * CycloneDX as JSON text.
 *
 * `npm sbom --omit dev` leaves out packages that production and development share (npm 11: `yaml`, `qs`, …). So npm runs
 * in a folder without development dependencies; npm puts the name of the folder into the document.
 */
export function billOfMaterials(): string {
  const { devDependencies: _, ...manifest } = read('package.json') as Manifest;
  const lock = read('package-lock.json') as Lock;
  const packages = Object.entries(lock.packages)
    .filter(([, { dev }]) => dev !== true)
    .map(([path, { devDependencies: __, ...locked }]) => [path, locked]);
  const directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-sbom-'));
  try {
    const folder = join(directory, manifest.name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    writeFileSync(
      join(folder, 'package-lock.json'),
      JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }),
    );
    const parameters = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
    return execFileSync('npm', parameters, {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 64 * 2 ** 20,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
