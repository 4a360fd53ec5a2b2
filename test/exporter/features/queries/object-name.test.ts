import { expect } from 'chai';
import { isObjectName } from '../../../../src/exporter/features/queries/object-name.js';

describe('isObjectName', () => {
  for (const name of [
    'cart-0',
    'a',
    'x'.repeat(253),
    'node-1:9100',
    'quo"ted',
    'back\\slash',
    '🐢',
    '__proto__',
  ]) {
    it(`takes ${JSON.stringify(name).slice(0, 20)}`, () => {
      expect(isObjectName(name)).to.equal(true);
    });
  }

  for (const [name, why] of [
    ['', 'nothing'],
    ['x'.repeat(254), '254 characters'],
    ['x'.repeat(65_536), '64 KiB'],
    ['a/b', 'the separator of keys'],
    ['a,pod:b', 'the separator of prom-client'],
    ['two\nlines', 'a line feed'],
    ['n\u0000ul', 'NUL'],
    ['\u007f', 'delete'],
    ['\ud800', 'half a character'],
  ] as const) {
    it(`does not take ${why}`, () => {
      expect(isObjectName(name)).to.equal(false);
    });
  }
});
