import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { updateFaults, updateReadme } from '../scripts/generated-docs.js';

describe('README', () => {
  const readme = readFileSync('README.md', 'utf8');

  it('has the settings, metrics and endpoints of the code (else: npm run docs)', async () => {
    expect(await updateReadme(readme)).to.equal(readme);
  });

  it('links only to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path);
    expect(links).to.not.be.empty;
    for (const path of links) expect(() => readFileSync(path), path).to.not.throw();
  });

  it('names every command', () => {
    const commands = [...readFileSync('src/main.ts', 'utf8').matchAll(/\.command\('(\w+)'/g)].map(
      ([, name]) => name,
    );
    expect(commands).to.include('serve');
    const [, table = ''] = /^## Commands$(.*?)^## /ms.exec(readme) ?? [];
    for (const name of commands) expect(table).to.include(`\`${name}\``);
  });
});

describe('pages in docs', () => {
  it('link only to files that exist', () => {
    for (const page of readdirSync('docs').filter((name) => name.endsWith('.md'))) {
      const text = readFileSync(join('docs', page), 'utf8');
      for (const [, path = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
        expect(existsSync(join('docs', path)), `${page}: ${path}`).to.equal(true);
      }
    }
  });
});

describe('docs/faults.md', () => {
  it('has the faults that the tests go through (else: npm run docs)', () => {
    const page = readFileSync('docs/faults.md', 'utf8');
    expect(updateFaults(page)).to.equal(page);
  });
});
