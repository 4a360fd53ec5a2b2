import { expect } from 'chai';
import { DataError } from '../../../src/lib/usage-error.js';
import { readLevelChanges } from '../../../src/tools/lab/level-changes.js';
import { rejection } from '../../support/rejection.js';
import { withFiles } from './recording.js';

const WORKLOAD = { case: 'fleet', namespace: 'shop', workload: 'cart' };
const read = (content: string) => withFiles({ 'changes.json': content }, readLevelChanges);

describe('changes of level', () => {
  it('are those by a fifth and more, up or down, in order of time', async () => {
    const changes = [
      { ...WORKLOAD, change: 'release', start: 300, cpu_factor: 1.3, memory_factor: 0.99 },
      { ...WORKLOAD, change: 'shift', start: 200, memory_factor: 0.8 },
      { ...WORKLOAD, change: 'release', start: 100, cpu_factor: 1.19, memory_factor: 0.85 },
      { ...WORKLOAD, change: 'restart', pod: 'cart-0', start: 50 },
    ];
    expect(await read(JSON.stringify(changes))).to.deep.equal([
      { ...WORKLOAD, change: 'shift', startSeconds: 200, cpuFactor: 1, memoryFactor: 0.8 },
      { ...WORKLOAD, change: 'release', startSeconds: 300, cpuFactor: 1.3, memoryFactor: 0.99 },
    ]);
  });

  it('are not there without a file; a file of another form is refused', async () => {
    expect(await withFiles({}, readLevelChanges)).to.deep.equal([]);
    expect((await rejection(read('{'), DataError)).message).to.contain('Expected JSON in ');
    expect((await rejection(read('[{"case": 1}]'), DataError)).message).to.contain('Expected a list of changes in ');
  });
});
