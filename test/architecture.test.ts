import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect } from 'chai';

/** The three wings of `src`, and what each may import besides itself. `main.ts` may import all of them. */
const WINGS: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  exporter: ['lib'],
  tools: ['exporter', 'lib'],
  main: ['exporter', 'lib', 'tools'],
};

/**
 * Which parts of its own wing a part may import, besides itself. A part is a folder of a wing, or a file directly in it.
 * Every part stands below all that it imports, so the table is also the order of the layers.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'lib/usage-error': [],
  'lib/deadline': [],
  'lib/descending': [],
  'lib/group-by': [],
  'lib/partition-point': [],
  'lib/steps': [],
  'lib/time-zone': [],
  'lib/turns': [],
  'lib/shared-work': [],
  'lib/client-network': [],
  'lib/fair-places': [],
  'lib/statistics': [],
  'lib/text': [],
  'lib/logging': [],
  'lib/files': ['lib/logging'],
  'lib/yaml': ['lib/usage-error', 'lib/text'],
  'lib/web-config': ['lib/usage-error', 'lib/logging', 'lib/files', 'lib/yaml'],
  'exporter/version': [],
  'exporter/prometheus': [],
  'exporter/features': ['exporter/prometheus'],
  'exporter/config': ['exporter/prometheus', 'exporter/features'],
  'exporter/history': ['exporter/prometheus', 'exporter/features'],
  'exporter/sharding': ['exporter/prometheus', 'exporter/features', 'exporter/config'],
  'exporter/connect': ['exporter/prometheus', 'exporter/features', 'exporter/config', 'exporter/sharding'],
  'exporter/model': ['exporter/features', 'exporter/history'],
  'exporter/training': [
    'exporter/prometheus',
    'exporter/features',
    'exporter/history',
    'exporter/connect',
    'exporter/model',
  ],
  'exporter/keeper': ['exporter/prometheus', 'exporter/history', 'exporter/model', 'exporter/training'],
  'exporter/tuning': ['exporter/prometheus', 'exporter/features'],
  'exporter/detection': ['exporter/prometheus', 'exporter/features', 'exporter/model', 'exporter/tuning'],
  'exporter/episodes': ['exporter/features', 'exporter/detection'],
  'exporter/context': ['exporter/prometheus', 'exporter/features', 'exporter/detection'],
  'exporter/forecast': [
    'exporter/prometheus',
    'exporter/features',
    'exporter/model',
    'exporter/detection',
    'exporter/context',
  ],
  'exporter/check': [
    'exporter/version',
    'exporter/prometheus',
    'exporter/features',
    'exporter/config',
    'exporter/history',
    'exporter/sharding',
    'exporter/connect',
    'exporter/model',
    'exporter/training',
    'exporter/keeper',
    'exporter/tuning',
    'exporter/detection',
  ],
  'exporter/metrics': [
    'exporter/features',
    'exporter/history',
    'exporter/sharding',
    'exporter/model',
    'exporter/training',
    'exporter/keeper',
    'exporter/detection',
    'exporter/episodes',
    'exporter/context',
    'exporter/forecast',
    'exporter/check',
  ],
  'exporter/http': [
    'exporter/version',
    'exporter/prometheus',
    'exporter/features',
    'exporter/model',
    'exporter/tuning',
    'exporter/detection',
    'exporter/episodes',
    'exporter/context',
    'exporter/forecast',
  ],
  'exporter/health': [
    'exporter/history',
    'exporter/sharding',
    'exporter/model',
    'exporter/training',
    'exporter/keeper',
    'exporter/detection',
    'exporter/episodes',
    'exporter/context',
    'exporter/check',
    'exporter/http',
  ],
  'exporter/healthcheck': ['exporter/config'],
  'exporter/service': [
    'exporter/version',
    'exporter/prometheus',
    'exporter/features',
    'exporter/config',
    'exporter/sharding',
    'exporter/connect',
    'exporter/model',
    'exporter/training',
    'exporter/keeper',
    'exporter/tuning',
    'exporter/detection',
    'exporter/episodes',
    'exporter/context',
    'exporter/forecast',
    'exporter/check',
    'exporter/metrics',
    'exporter/http',
    'exporter/health',
  ],
  'exporter/serve': [
    'exporter/version',
    'exporter/prometheus',
    'exporter/features',
    'exporter/config',
    'exporter/connect',
    'exporter/training',
    'exporter/tuning',
    'exporter/http',
    'exporter/service',
  ],
  'tools/simulation': [],
  'tools/replay': [],
  'tools/lab': ['tools/simulation', 'tools/replay'],
  'tools/backtest': ['tools/replay'],
  'tools/demo': ['tools/simulation'],
  main: [],
};

/** The parts that may use a package of `package.json`. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  '@lezer/common': ['exporter/features'],
  '@prometheus-io/lezer-promql': ['exporter/features'],
  axios: ['exporter/prometheus'],
  bcryptjs: ['lib/web-config'],
  commander: ['main'],
  express: ['exporter/http'],
  'isolation-forest': ['exporter/model'],
  'lru-cache': ['exporter/prometheus', 'exporter/http', 'lib/web-config'],
  'node-cron': ['exporter/config', 'exporter/training'],
  'p-limit': ['exporter/check', 'tools/replay'],
  pino: ['lib/logging'],
  'pino-pretty': ['lib/logging'],
  'prom-client': ['exporter/metrics'],
  'swagger-ui-dist': ['exporter/http'],
  tinypool: ['tools/replay'],
  yaml: ['lib/yaml'],
  zod: [
    'exporter/config',
    'exporter/features',
    'exporter/model',
    'exporter/tuning',
    'exporter/http',
    'lib/web-config',
    'tools/lab',
  ],
};

/** What may stand in some places only. `where` tests a path within `src`. */
const CONFINED: readonly { readonly what: string; readonly pattern: RegExp; readonly where: RegExp }[] = [
  {
    what: 'process.env, process.argv and process.exit',
    pattern: /\bprocess\s*\.\s*(?:env|argv|exit|exitCode)\b|\bfrom 'node:process'/,
    where: /^main\.ts$/,
  },
  { what: 'Math.random', pattern: /\bMath\s*\.\s*random\b/, where: /^exporter\/model\/grow\.ts$/ },
  {
    what: 'the clock',
    pattern: /\bDate\s*\.\s*now\b|\bnew Date\(\s*\)|\bperformance\s*\.\s*now\b|\bprocess\s*\.\s*hrtime\b/,
    where: /^exporter\/(?:serve|check\/command|training\/worker)\.ts$|^tools\//,
  },
];

/** What makes data to measure with. */
const SIMULATION = /^tools\/(?:simulation|lab\/fleet)\//;

interface Source {
  /** Within `src`: `exporter/http/app.ts`. */
  readonly path: string;
  readonly text: string;
}

// This file runs as dist/test/architecture.test.js.
const root = new URL('../../', import.meta.url);

const sources: readonly Source[] = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map((path) => ({ path, text: withoutComments(readFileSync(new URL(`src/${path}`, root), 'utf8')) }));

/** Blanks comments that fill a line or end one, as the formatter leaves them. */
function withoutComments(text: string): string {
  return text
    .replaceAll(/^\s*\/\*.*?\*\//gms, '')
    .replaceAll(/^\s*\/\/.*$/gm, '')
    .replaceAll(/\s\/\/\s.*$/gm, '');
}

/** All that a file imports, re-exports, loads later or resolves. */
function importsOf({ text }: Source): string[] {
  const forms = [
    /^(?:import|export)\b[^'";]*?\bfrom\s*'([^']+)'/gm,
    /^import\s*'([^']+)'/gm,
    /\bimport\(\s*'([^']+)'/g,
    /\bimport\.meta\.resolve\(\s*'([^']+)'/g,
    /\brequire(?:\.resolve)?\(\s*'([^']+)'/g,
    /\bnew URL\(\s*'(\.[^']+)'/g,
  ];
  return forms.flatMap((form) => [...text.matchAll(form)].map((match) => match[1] ?? ''));
}

const wingOf = (path: string) => (path.split('/')[0] ?? '').replace(/\.ts$/, '');

/** The part that a path within `src` belongs to: `exporter/http` of `exporter/http/app.ts`, `exporter/serve` of its file. */
const partOf = (path: string) => path.split('/').slice(0, 2).join('/').replace(/\.ts$/, '');

/** The path within `src` of what a file imports by a relative specifier; `undefined` outside of it. */
function localPath(importer: string, specifier: string): string | undefined {
  const base = new URL('file:///project/src/');
  const { pathname } = new URL(specifier, new URL(importer, base));
  return pathname.startsWith(base.pathname) ? pathname.slice(base.pathname.length).replace(/\.js$/, '.ts') : undefined;
}

/** `isolation-forest` of `isolation-forest/dist/iTree.js`, `@scope/name` of `@scope/name/file.js`. */
const packageOf = (specifier: string) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;

const imports = sources.flatMap((source) =>
  importsOf(source).map((specifier) => ({ path: source.path, part: partOf(source.path), specifier })),
);
const isLocal = (specifier: string) => specifier.startsWith('.');
const isBuiltin = (specifier: string) => specifier.startsWith('node:');
const packages = imports.filter(({ specifier }) => !isLocal(specifier) && !isBuiltin(specifier));

describe('Architecture', () => {
  it('is read as it is: the test sees each form of import', () => {
    const text = [
      "import a from 'one';",
      "import type { B } from './two.js';",
      'import {',
      '  c,',
      "} from 'three/four.js';",
      "export { d } from '../five/six.js';",
      "import 'seven';",
      "// import 'comment';",
      "  /** import x from 'comment'; */",
      "const e = await import('eight'); // import('comment')",
      "const f = import.meta.resolve('nine/package.json');",
      "const g = new URL('./ten.js', import.meta.url);",
      "const h = 'https://example.org'; require('eleven');",
    ].join('\n');
    expect(importsOf({ path: 'x.ts', text: withoutComments(text) })).to.have.members([
      'one',
      './two.js',
      'three/four.js',
      '../five/six.js',
      'seven',
      'eight',
      'nine/package.json',
      './ten.js',
      'eleven',
    ]);
    expect(sources.map(({ path }) => path)).to.include.members([
      'main.ts',
      'exporter/model/fit.ts',
      'lib/yaml/yaml-file.ts',
    ]);
    expect(imports.length).to.be.above(2 * sources.length);
  });

  it('has a place in the table for every part of src', () => {
    expect(Object.keys(MAY_IMPORT)).to.include.members([...new Set(sources.map(({ path }) => partOf(path)))]);
  });

  it('is layered: a part is only allowed what stands above it', () => {
    const order = Object.keys(MAY_IMPORT);
    for (const [part, allowed] of Object.entries(MAY_IMPORT)) {
      for (const other of allowed) {
        expect(order.indexOf(other), `${part} may import ${other}`).to.be.within(0, order.indexOf(part) - 1);
      }
    }
  });

  it('has four entries in src: the exporter, a library, tools, and what starts them', () => {
    expect(readdirSync(new URL('src/', root)).sort()).to.deep.equal(['exporter', 'lib', 'main.ts', 'tools']);
  });

  it('imports one way', () => {
    const wrong = imports
      .filter(({ specifier }) => isLocal(specifier))
      .map(({ path, part, specifier }) => ({ path, part, target: localPath(path, specifier), specifier }))
      .filter(({ path, part, target }) => {
        // package.json stands outside.
        if (target === undefined) return part !== 'exporter/version';
        return wingOf(target) === wingOf(path)
          ? partOf(target) !== part && !MAY_IMPORT[part]?.includes(partOf(target))
          : !WINGS[wingOf(path)]?.includes(wingOf(target));
      })
      .map(({ path, specifier }) => `${path} imports ${specifier}`);
    expect(wrong).to.deep.equal([]);
  });

  it('has no circles of files, not even of types', () => {
    const next = new Map<string, string[]>();
    for (const { path, specifier } of imports) {
      const target = isLocal(specifier) ? localPath(path, specifier) : undefined;
      if (target !== undefined) next.set(path, [...(next.get(path) ?? []), target]);
    }
    const settled = new Set<string>();
    const circles: string[] = [];
    const walk = (path: string, trail: readonly string[]) => {
      if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      if (settled.has(path) || trail.includes(path)) return;
      for (const target of next.get(path) ?? []) walk(target, [...trail, path]);
      settled.add(path);
    };
    for (const path of next.keys()) walk(path, []);
    expect(circles).to.deep.equal([]);
  });

  it('keeps the detector out of what it is measured with', () => {
    const reached = new Set(sources.map(({ path }) => path).filter((path) => SIMULATION.test(path)));
    expect(reached.size).to.be.above(20);
    for (const path of reached) {
      for (const { path: importer, specifier } of imports) {
        const target = importer === path && isLocal(specifier) ? localPath(importer, specifier) : undefined;
        if (target !== undefined) reached.add(target);
      }
    }
    expect([...reached].filter((path) => path.startsWith('exporter/'))).to.deep.equal([]);
  });

  it('imports only files that are there', () => {
    const paths = new Set(sources.map(({ path }) => path));
    const missing = imports
      .filter(({ specifier }) => isLocal(specifier))
      .map(({ path, specifier }) => ({ path, specifier, target: localPath(path, specifier) }))
      .filter(({ target }) => target !== undefined && !paths.has(target))
      .map(({ path, specifier }) => `${path} imports ${specifier}`);
    expect(missing).to.deep.equal([]);
  });

  it('uses each package in the folders of its owners only', () => {
    const wrong = packages
      .filter(({ part, specifier }) => !OWNERS[packageOf(specifier)]?.includes(part))
      .map(({ path, specifier }) => `${path} imports ${specifier}`);
    expect(wrong).to.deep.equal([]);
  });

  it('names as owned what is a dependency, and is used by each of its owners', () => {
    const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    expect(Object.keys(manifest.dependencies)).to.include.members(Object.keys(OWNERS));
    for (const [name, owners] of Object.entries(OWNERS)) {
      const users = packages.filter(({ specifier }) => packageOf(specifier) === name).map(({ part }) => part);
      expect([...new Set(users)], name).to.have.members([...owners]);
    }
  });

  it('names the modules of Node.js by their prefix', () => {
    const bare = packages.filter(({ specifier }) => !(packageOf(specifier) in OWNERS));
    expect(bare).to.deep.equal([]);
  });

  for (const { what, pattern, where } of CONFINED) {
    it(`keeps ${what} to ${where.source}`, () => {
      const users = sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
      expect(users.filter((path) => !where.test(path))).to.deep.equal([]);
      expect(users.filter((path) => where.test(path))).not.to.deep.equal([]);
    });
  }

  it('names files in kebab-case', () => {
    const names = sources.map(({ path }) => basename(path));
    expect(names.filter((name) => !/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*\.ts$/.test(name))).to.deep.equal([]);
    const folders = [...new Set(sources.flatMap(({ path }) => path.split('/').slice(0, -1)))];
    expect(folders.filter((name) => !/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name))).to.deep.equal([]);
  });

  it('has no default exports', () => {
    const form = /^export\s+default\b|^export\s*\{[^}]*\bdefault\b/m;
    expect(sources.filter(({ text }) => form.test(text)).map(({ path }) => path)).to.deep.equal([]);
    expect(form.test('export default x;') && form.test('export { x as default };')).to.equal(true);
  });

  it('has no top-level await: a thread that is ended while it begins would end the whole process (Node.js 20)', () => {
    const form = /^(?:(?:export )?(?:const|let) [^=]*= )?await\b/m;
    expect(sources.filter(({ text }) => form.test(text)).map(({ path }) => path)).to.deep.equal([]);
    expect(form.test('await run();') && form.test('export const x = await y;')).to.equal(true);
  });
});
