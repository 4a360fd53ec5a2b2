import { expect } from 'chai';
import { Remarks } from '../../../src/exporter/prometheus/remarks.js';

describe('remarks of a server', () => {
  it('are bounded, and what makes an answer partial is kept before all else', () => {
    const remarks = new Remarks();
    for (let index = 0; index < 1_000; index++) remarks.add(`PromQL info: number ${index}`);
    expect(remarks.isPartial).to.equal(false);
    remarks.add('a store is down', 'cpu: a store is down');
    remarks.add('a store is down', 'cpu: a store is down');
    expect(remarks.isPartial).to.equal(true);
    expect(remarks.texts).to.have.lengthOf(22);
    expect(remarks.texts[0]).to.equal('cpu: a store is down');
    expect(remarks.texts.at(-1)).to.equal('There were more remarks, which are not listed.');
  });

  it('say nothing of more where there are none', () => {
    const remarks = new Remarks();
    for (let index = 0; index < 100; index++) remarks.add(`store ${index % 20} is down`);
    expect(remarks.texts).to.deep.equal(Array.from({ length: 20 }, (_, index) => `store ${index} is down`));
  });
});
