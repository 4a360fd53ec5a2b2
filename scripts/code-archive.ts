/** The code as a ConfigMap, for clusters without an image of it (`deploy/kubernetes/components/no-image…`). */

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { create } from 'tar';
import { stringify } from 'yaml';
import { RUNBOOKS_URL } from '../src/exporter/version.js';

/**
 * What the pod does before it starts: `installed` runs `npm ci` with the lock file in the archive, `bundled` does
 * nothing, since all packages are in the archive.
 */
export type CodeVariant = 'installed' | 'bundled';

/**
 * The limit for all values of a ConfigMap together, counted before base64. The API server stores them without base64,
 * so etcd's limit for a request (1.5 MiB) is not reached.
 */
export const CONFIG_MAP_LIMIT_BYTES = 1024 * 1024;

/** `kubectl apply` without `--server-side` copies the object, with base64, into annotations of at most this size. */
export const ANNOTATIONS_LIMIT_BYTES = 256 * 1024;

/** The key of the archive in the ConfigMap: the name of the file below `/config`. */
export const ARCHIVE_KEY = 'code.tar.br';

/** The code does not fit into a ConfigMap. */
export class CodeTooLargeError extends Error {
  override readonly name = 'CodeTooLargeError';
}

/** Files of Swagger UI, which runs in the browser: nothing imports them, `docs.ts` serves them. */
const SWAGGER_UI_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png', 'LICENSE', 'NOTICE'] as const;

/** The text that replaces the matching modules of a bundle. */
type Replacements = readonly { readonly filter: RegExp; readonly contents: string }[];

/**
 * Parts of packages that the exporter never uses, and their replacements: a quarter of the archive.
 * The tables of iconv-lite decode request bodies in old encodings, and the exporter reads no body. The locales of zod
 * translate messages that the exporter writes itself. The media types of form-data are for uploads.
 */
const LEFT_OUT: Replacements = [
  {
    filter: /[/\\]iconv-lite[/\\]encodings[/\\](?:dbcs-data|sbcs-data-generated)\.js$/,
    contents: 'module.exports = {};',
  },
  { filter: /[/\\]zod[/\\]v4[/\\]locales[/\\]index\.js$/, contents: 'export {};' },
  { filter: /[/\\]form-data[/\\]node_modules[/\\]mime-db[/\\]index\.js$/, contents: 'module.exports = {};' },
];

/** Replaces modules, and fails if one of them is not imported any more. */
const replaceModules = (replacements: Replacements): Plugin => ({
  name: 'replace-modules',
  setup({ onLoad, onEnd }) {
    const found = new Set<RegExp>();
    for (const { filter, contents } of replacements) {
      onLoad({ filter }, () => {
        found.add(filter);
        return { contents, loader: 'js' };
      });
    }
    onEnd(() => ({
      errors: replacements
        .filter(({ filter }) => !found.has(filter))
        .map(({ filter }) => ({
          text: `Expected an import of a file that matches ${filter}, to replace it. Remove the replacement.`,
        })),
    }));
  },
});

/**
 * The tools stay out of a bundle: they start threads from files that it does not have, and the pod of the exporter is no
 * place for them.
 */
const WITHOUT_TOOLS: Replacements = [
  ['demo/command', 'runDemo'],
  ['backtest/command', 'runBacktestCommand'],
  ['lab/evaluate', 'runEvaluate'],
  ['lab/fleet/write-fleet', 'runSimulateFleet'],
].map(([path = '', name]) => ({
  filter: new RegExp(`[/\\\\]src[/\\\\]tools[/\\\\]${path.replaceAll('/', '[/\\\\]')}\\.js$`),
  contents: `export async function ${name}() {
    throw new Error('This bundle holds the exporter only. Run this command from a checkout or from the image.');
  }`,
}));

/** A bundle has fewer folders than the build, so `version.ts` would look for `package.json` in the wrong place. */
const versionModule = (version: unknown): Replacements[number] => ({
  filter: /[/\\]src[/\\]exporter[/\\]version\.js$/,
  contents: `export const VERSION = ${JSON.stringify(version)};
export const RUNBOOKS_URL = ${JSON.stringify(RUNBOOKS_URL)};`,
});

/**
 * Precedes the code of a bundled file: packages in CommonJS call `require` for modules of Node.js, and the files that
 * `docs.ts` looks up in `node_modules` are next to the bundle.
 */
const PREAMBLE = [
  "import { createRequire as createRequireOfBundle } from 'node:module';",
  'const require = createRequireOfBundle(import.meta.url);',
  'const resolveBesideBundle = (specifier) => new URL(specifier, import.meta.url).href;',
].join('\n');

/**
 * Makes the archive (a tar file, compressed) from the built code. The same code makes the same bytes. Brotli makes it a
 * fifth smaller than gzip would, and Node.js can decompress it in any image that it is in.
 *
 * @param root the folder with `dist/src`, `package.json`, `package-lock.json`, `LICENSE` and `node_modules`.
 */
export async function packCode(root: string, variant: CodeVariant): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-code-'));
  try {
    copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
    if (variant === 'installed') stageForInstallation(root, folder);
    else await stageBundle(root, folder);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .sort();
    const archive = create({ cwd: folder, portable: true, mtime: new Date(0) }, files);
    const chunks: Buffer[] = [];
    for await (const chunk of archive) chunks.push(chunk);
    return await promisify(brotliCompress)(Buffer.concat(chunks), { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The built files without source maps, and the files that `npm ci` needs. */
function stageForInstallation(root: string, folder: string): void {
  cpSync(join(root, 'dist/src'), join(folder, 'dist/src'), {
    recursive: true,
    filter: (path) => !path.endsWith('.map'),
  });
  const { scripts: _scripts, devDependencies: _development, ...manifest } = readJson(root, 'package.json');
  const lock = readJson(root, 'package-lock.json') as { packages: Record<string, Record<string, unknown>> };
  const { devDependencies: _locked, ...self } = lock.packages[''] ?? {};
  const packages = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  writeJson(folder, 'package.json', manifest);
  writeJson(folder, 'package-lock.json', {
    ...lock,
    packages: { '': self, ...Object.fromEntries(packages) },
  });
}

/** All code in a few files, at the path that `main.js` has in the build, so that relative paths stay valid. */
async function stageBundle(root: string, folder: string): Promise<void> {
  const built = join(root, 'dist/src');
  const target = join(folder, 'dist/src');
  const { name, version, license, type, engines } = readJson(root, 'package.json');
  const { warnings } = await build({
    entryPoints: {
      main: join(built, 'main.js'),
      worker: join(built, 'exporter/training/worker.js'),
      'password-worker': join(built, 'lib/web-config/password-worker.js'),
    },
    outdir: target,
    bundle: true,
    // Code that the service and its worker thread share is included once.
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Also shortens identifiers: the original ones would be better in stack traces but barely fit.
    minify: true,
    legalComments: 'eof',
    banner: { js: PREAMBLE },
    define: { 'import.meta.resolve': 'resolveBesideBundle' },
    plugins: [replaceModules([...LEFT_OUT, ...WITHOUT_TOOLS, versionModule(version)])],
    logLevel: 'silent',
  });
  if (warnings.length > 0) {
    throw new Error(`Expected to bundle without warnings, got: ${warnings.map(({ text }) => text).join('; ')}`);
  }
  const swaggerUi = join(target, 'swagger-ui-dist');
  mkdirSync(swaggerUi);
  for (const file of SWAGGER_UI_FILES) {
    copyFileSync(join(root, 'node_modules/swagger-ui-dist', file), join(swaggerUi, file));
  }
  writeJson(folder, 'package.json', { name, version, license, private: true, type, engines });
}

/** Sizes of a ConfigMap, in bytes. */
export interface CodeSize {
  /** The size that counts for the limit of a ConfigMap. */
  readonly archive: number;
  /** The size of the request of `kubectl`, with base64. */
  readonly request: number;
}

/**
 * The ConfigMap `anomaly-detector-code` as YAML, for kustomize.
 *
 * @param version of the code, for the label.
 * @throws {CodeTooLargeError} when the archive does not fit; the message says by how much.
 */
export function codeConfigMap(archive: Buffer, version: string): { yaml: string; size: CodeSize } {
  if (archive.length > CONFIG_MAP_LIMIT_BYTES) {
    throw new CodeTooLargeError(
      `Expected at most ${CONFIG_MAP_LIMIT_BYTES} bytes, the limit of a ConfigMap, got an archive of ` +
        `${archive.length}: ${archive.length - CONFIG_MAP_LIMIT_BYTES} too many. Use the variant that installs its ` +
        'packages at start (npm run configmap), or build an image from the Dockerfile.',
    );
  }
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'anomaly-detector-code',
      labels: {
        'app.kubernetes.io/name': 'k8s-anomaly-detector',
        'app.kubernetes.io/instance': 'k8s-anomaly-detector',
        'app.kubernetes.io/version': version,
        'app.kubernetes.io/component': 'exporter',
        'app.kubernetes.io/part-of': 'k8s-anomaly-detector',
        'app.kubernetes.io/managed-by': 'kustomize',
      },
      annotations: { 'checksum/code': createHash('sha256').update(archive).digest('hex') },
    },
    binaryData: { [ARCHIVE_KEY]: archive.toString('base64') },
  };
  return {
    yaml: stringify(object, { lineWidth: 0 }),
    size: { archive: archive.length, request: Buffer.byteLength(JSON.stringify(object)) },
  };
}

/** The sizes as sentences, and what they mean for `kubectl apply`. */
export function describeCodeSize({ archive, request }: CodeSize): string {
  const kibibytes = (bytes: number) => `${Math.ceil(bytes / 1024)} KiB`;
  const share = Math.round((archive / CONFIG_MAP_LIMIT_BYTES) * 100);
  const apply =
    request > ANNOTATIONS_LIMIT_BYTES
      ? 'It needs `kubectl apply --server-side`: without it, kubectl keeps a copy in annotations of at most 256 KiB.'
      : 'It also fits the annotation of a plain `kubectl apply`.';
  return `${kibibytes(archive)}, ${share} % of the 1 MiB of a ConfigMap; ${kibibytes(request)} as base64. ${apply}`;
}

function readJson(folder: string, file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>;
}

function writeJson(folder: string, file: string, value: unknown): void {
  writeFileSync(join(folder, file), `${JSON.stringify(value, null, 2)}\n`);
}
