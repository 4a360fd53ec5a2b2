import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { updateFaults, updateReadme } from './support/generated-docs.js';

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
});

describe('docs/faults.md', () => {
  it('has the faults that the tests go through (else: npm run docs)', () => {
    const page = readFileSync('docs/faults.md', 'utf8');
    expect(updateFaults(page)).to.equal(page);
  });
});
