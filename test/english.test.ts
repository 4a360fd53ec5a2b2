import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

// This file runs as dist/test/english.test.js.
const root = new URL('../../', import.meta.url);

/** Phrases that readers stumble over, each with what to write in its place. */
const PHRASES: readonly (readonly [phrase: RegExp, instead: string])[] = [
  [/(?<!\bthere )\b(?:is|are|was|were|be) none\b/i, 'name it: "is not a number", "is invalid", "there are no rows"'],
  [/\bshall\b/i, '"must", "should" or the plain present'],
  [/\bwhoever\b/i, '"the caller", "anyone who", "readers"'],
  [/\bas many as\b/i, '"N", "the same number of"'],
  [/\bso (?:many|much|long)\b(?! (?:as|that)\b)/i, '"N seconds", "this long", "a number of"'],
  [/\bwhat is so\b/i, 'name it'],
  [/\bsuch an?\b/i, '"this", "one like it", or name it'],
  [/\bof another make\b/i, '"from another generator", "of another kind"'],
  [/\b(?:is|are|was|were|be|been) told\b|\btold of\b|\btells? of\b/i, '"is reported", "gets", "reports"'],
  [/\blet in\b/i, '"accepted", "allowed"'],
  [/(?<!\bthere )\bis no (?:use|fault|failure|news|snapshot|mapping|YAML)\b/i, '"is not a …"'],
  [/\bcannot be had\b/i, '"is not available"'],
  [/\bno longer so\b/i, '"resolved"'],
  [/\bnext to nothing\b/i, '"almost nothing", or the figure'],
  [/\banew\b/i, '"again"'],
  [/\bmend(?:s|ed)?\b/i, '"fix"'],
  [/\bwho asks\b/i, 'name the reader or the caller'],
  [/\bbut for\b/i, '"except"'],
  [/\bin sight\b/i, '"visible"'],
  [/\bhow (?:things|they|it) (?:stands?|are|fares?)\b/i, '"the state"'],
];

const FOLDERS = ['src', 'scripts', 'docs', 'deploy'];
const FILES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'Dockerfile'];
const TEXTS = /\.(?:ts|md|ya?ml|txt|tmpl|env)$/;

const paths = [
  ...FILES,
  ...FOLDERS.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' })
      .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
      .filter((path) => TEXTS.test(path)),
  ),
].sort();

/** `src/main.ts:12: "shall" (write "must")` for each phrase of a text. */
function findings(path: string, text: string): string[] {
  return text.split('\n').flatMap((line, index) =>
    PHRASES.flatMap(([phrase, instead]) => {
      const [found] = phrase.exec(line) ?? [];
      return found === undefined ? [] : [`${path}:${index + 1}: "${found}" (write ${instead})`];
    }),
  );
}

describe('plain English', () => {
  it('is asked of many files', () => {
    expect(paths).to.include.members(['README.md', 'src/main.ts', 'docs/detection.md', 'scripts/sbom.ts']);
    expect(paths.length).to.be.above(300);
  });

  it('finds each phrase, and not its harmless neighbours', () => {
    const wrong = ['It is none.', 'It shall end.', 'so many seconds', 'is told of it', 'such a file', 'made anew'];
    expect(wrong.filter((text) => findings('x', text).length === 0)).to.deep.equal([]);
    const right = ['There are none.', 'so long as it runs', 'letting in light'];
    expect(right.flatMap((text) => findings('x', text))).to.deep.equal([]);
  });

  it('is written in every text, message and comment', () => {
    const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
    const wrong = paths.flatMap((path) => findings(path, read(path)));
    expect(wrong).to.deep.equal([]);
  });
});
