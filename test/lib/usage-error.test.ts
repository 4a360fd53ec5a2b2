import { expect } from 'chai';
import { MistakesError, UsageError } from '../../src/lib/usage-error.js';

describe('MistakesError', () => {
  it('counts the mistakes in its message, and indents what belongs to one', () => {
    const one = new MistakesError('the feature file f.yaml', ['f.yaml:1:1: no\nline\n^']);
    const two = new MistakesError('the settings', ['PORT: no', 'HOST: no']);
    expect(one.message).to.equal('1 mistake in the feature file f.yaml:\n  f.yaml:1:1: no\n    line\n    ^');
    expect(two.message).to.equal('2 mistakes in the settings:\n  PORT: no\n  HOST: no');
    expect(two).to.be.instanceOf(UsageError);
    expect(two.mistakes).to.deep.equal(['PORT: no', 'HOST: no']);
  });
});
