import { expect } from 'chai';
import { requireTool } from './real-tools.js';

const MISSING = 'no-such-program-5d1f';

describe('requireTool', () => {
  const ci = process.env.CI;
  const { warn } = console;
  let skips: number;
  let warnings: string[];

  /** A test that can be skipped without being so. */
  const context = {
    skip(): never {
      skips++;
      throw new Error('Skipped.');
    },
  };

  beforeEach(() => {
    skips = 0;
    warnings = [];
    delete process.env.CI;
    console.warn = (text: string) => void warnings.push(text);
  });

  afterEach(() => {
    if (ci === undefined) delete process.env.CI;
    else process.env.CI = ci;
    console.warn = warn;
  });

  it('lets a test go on where the program is there', () => {
    requireTool(context, process.execPath);
    expect({ skips, warnings }).to.deep.equal({ skips: 0, warnings: [] });
  });

  it('skips a test where it is not, and says so', () => {
    expect(() => requireTool(context, MISSING)).to.throw('Skipped.');
    expect(skips).to.equal(1);
    expect(warnings).to.have.lengthOf(1);
    expect(warnings[0]).to.include('SKIPPED').and.to.include(MISSING);
  });

  it('fails on a build server instead', () => {
    process.env.CI = 'true';
    expect(() => requireTool(context, MISSING)).to.throw(`Expected the build server to have ${MISSING}`);
    expect(skips).to.equal(0);
  });
});
