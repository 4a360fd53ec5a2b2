import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { DataError } from '../../../src/lib/usage-error.js';
import { parseLabels, readLabels } from '../../../src/tools/lab/labels.js';
import { rejection } from '../../support/rejection.js';
import { withFiles } from './recording.js';

const WHOLE = {
  case: 'monday',
  namespace: 'shop',
  pod: 'cart-1',
  fault_type: 'cpu_load',
  start: 100,
  end: 280,
  visible: { cpu: true, memory: false },
};

const faultsOf = (...entries: readonly object[]) => parseLabels(entries).faults;

describe('the labels', () => {
  it('are read as they are written', () => {
    expect(faultsOf(WHOLE)).to.deep.equal([
      {
        case: 'monday',
        namespace: 'shop',
        pod: 'cart-1',
        type: 'cpu_load',
        id: undefined,
        startSeconds: 100,
        endSeconds: 280,
        visible: true,
        mustTouch: true,
      },
    ]);
    expect(parseLabels({ faults: [WHOLE] })).to.deep.equal(parseLabels([WHOLE]));
  });

  it('may lack what is optional', () => {
    const [fault] = faultsOf({ case: 'monday.csv.gz', start: 1, end: 2 });
    expect(fault).to.deep.include({ case: 'monday', namespace: undefined, pod: undefined, type: 'unknown' });
    expect(fault).to.include({ visible: false, mustTouch: false });
  });

  it('name the fault that several labels are of', () => {
    expect(faultsOf({ ...WHOLE, fault: 'release-3' })[0]?.id).to.equal('release-3');
  });

  it('say that a fault is visible by any column of CPU or memory; null is not true', () => {
    const visible = (of: unknown) => faultsOf({ ...WHOLE, visible: of })[0]?.visible;
    for (const of of [{ cpu_cores: true }, { memory: true, cpu: null }, { memory_pct_of_limit: true }, true]) {
      expect(visible(of), JSON.stringify(of)).to.equal(true);
    }
    for (const of of [{ cpu: null }, { network_rx_bytes: true }, { cpu: 'true' }, {}, null, undefined, [true]]) {
      expect(visible(of), JSON.stringify(of)).to.equal(false);
    }
  });

  it('must touch CPU or memory by their type, where they are visible', () => {
    const must = (type: string, cpu: boolean) =>
      faultsOf({ ...WHOLE, fault_type: type, visible: { cpu } })[0]?.mustTouch;
    expect(['cpu_contention', 'cpu_consumed', 'cpu_load', 'mem_load'].map((type) => must(type, true))).to.deep.equal([
      true,
      true,
      true,
      true,
    ]);
    expect([must('network_delay', true), must('cpu_load', false)]).to.deep.equal([false, false]);
  });

  it('count entries that say too little', () => {
    const { faults, malformed } = parseLabels([
      WHOLE,
      'fault',
      null,
      { ...WHOLE, case: 7 },
      { ...WHOLE, start: '100' },
      { ...WHOLE, end: undefined },
      { ...WHOLE, end: 100 },
    ]);
    expect(faults).to.have.lengthOf(1);
    expect(Object.fromEntries(malformed)).to.deep.equal({
      not_an_object: 2,
      no_case: 1,
      no_time: 2,
      ends_before_start: 1,
    });
  });

  it('must be there, and a list', async () => {
    const failure = (files: Record<string, string>) =>
      withFiles(files, async (directory) => (await rejection(readLabels(directory), DataError)).message);
    expect(await failure({})).to.match(/^Expected JSON in .*labels\.json, got: no such file\. Write/);
    expect(await failure({ 'labels.json': '[{' })).to.match(/^Expected JSON in .*labels\.json, got: /);
    const huge = await withFiles({}, async (directory) => {
      const path = join(directory, 'labels.json');
      await writeFile(path, '');
      // Without a block on the disk.
      await truncate(path, 300 * 1024 * 1024);
      return (await rejection(readLabels(directory), DataError)).message;
    });
    expect(huge).to.include('more than 256 MiB');
    expect(await failure({ 'labels.json': '{"fault": []}' })).to.contain('where the list should be');
  });
});
