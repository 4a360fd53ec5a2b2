import { expect } from 'chai';
import { DataError, UsageError } from '../../../src/lib/usage-error.js';
import { chooseLayout, parseAdditionalColumns } from '../../../src/tools/lab/layout.js';
import { CATALOG } from '../../support/tables.js';

const KEYS = ['timestamp', 'namespace', 'pod'];
const layoutOf = (columns: readonly string[], additional: readonly string[] = [], empty: readonly string[] = []) =>
  chooseLayout([...KEYS, ...columns], { file: 'some.csv', additional, empty: new Set(empty) });
const sourcesOf = (...parameters: Parameters<typeof layoutOf>) =>
  layoutOf(...parameters).columns.map(({ source }) => source);

describe('the layout of a file', () => {
  it('takes the features of the service, with their names, floors and directions', () => {
    const { columns } = layoutOf(['restarts', 'memory_bytes', 'cpu_cores']);
    expect(columns.map(({ feature: { query: _, ...rest } }) => rest)).to.deep.equal(
      CATALOG.map(({ query: _, ...rest }) => rest),
    );
    expect(columns.map(({ position }) => position)).to.deep.equal([5, 4, 3]);
    expect(columns.map(({ reduction }) => reduction)).to.deep.equal(['mean', 'last', 'last']);
  });

  it('prefers absolute values, and takes shares of a limit without them', () => {
    expect(sourcesOf(['cpu_pct_of_limit', 'cpu_cores', 'memory_pct_of_limit'])).to.deep.equal([
      'cpu_cores',
      'memory_pct_of_limit',
    ]);
    expect(sourcesOf(['cpu_cores', 'cpu_pct_of_limit'], [], ['cpu_cores'])).to.deep.equal(['cpu_pct_of_limit']);
    const { feature } = layoutOf(['memory_pct_of_limit']).columns[0] ?? {};
    expect(feature).to.include({ name: 'memory', unit: 'percent', spreadFloor: 1, direction: 'brief_falls' });
  });

  it('adds columns that are asked for, and ignores the others', () => {
    expect(sourcesOf(['cpu_cores', 'disk', 'network_rx_bytes'])).to.deep.equal(['cpu_cores']);
    const added = layoutOf(['cpu_cores', 'disk', 'network_rx_bytes'], ['network_rx_bytes']).columns[1];
    expect(added).to.include({ position: 5, reduction: 'mean', floorFromData: true });
    expect(added?.feature).to.include({ name: 'network_rx_bytes', direction: 'both', required: false });
  });

  it('says what is missing, where, and what came', () => {
    expect(() =>
      chooseLayout(['time', 'namespace', 'cpu_cores'], { file: 'x.csv', additional: [], empty: new Set() }),
    ).to.throw(
      DataError,
      'Expected the columns timestamp, namespace, pod in x.csv, got no timestamp, no pod in the header ' +
        '"time,namespace,cpu_cores". Write a header line',
    );
    expect(() => layoutOf(['restarts'])).to.throw(DataError, /Expected cpu_cores or cpu_pct_of_limit.*some\.csv/);
    expect(() => layoutOf(['cpu_cores'], [], ['cpu_cores'])).to.throw(DataError, 'no value in any row: cpu_cores');
    expect(() => layoutOf(['cpu_cores'], ['disk'])).to.throw(UsageError, 'the column disk (--columns)');
  });

  it('reads names for further columns, each once', () => {
    expect(parseAdditionalColumns(undefined)).to.deep.equal([]);
    expect(parseAdditionalColumns(' a, b,')).to.deep.equal(['a', 'b']);
    for (const text of ['a,a', 'cpu_cores', 'memory', 'pod']) {
      expect(() => parseAdditionalColumns(text), text).to.throw(UsageError, 'used already');
    }
  });
});
