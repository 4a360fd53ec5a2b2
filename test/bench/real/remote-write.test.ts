import { expect } from 'chai';
import { encodeLabels, encodeWriteRequest } from './remote-write.js';

describe('remoteWrite', () => {
  it('writes the message of Prometheus, as one literal of Snappy', () => {
    const labels = encodeLabels({ job: 'k', __name__: 'up' });
    const message = encodeWriteRequest([{ labels, values: [1.5], timesMilliseconds: [1_764_288_000_123] }]);
    const label = (name: string, value: string) => [
      0x0a,
      2 + name.length + 2 + value.length,
      0x0a,
      name.length,
      ...Buffer.from(name),
      0x12,
      value.length,
      ...Buffer.from(value),
    ];
    // 1.5 is 0x3ff8000000000000; the time is a varint, its lowest seven bits first.
    const sample = [0x12, 16, 0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x10, 0xfb, 0xe0, 0x89, 0xbe, 0xac, 0x33];
    const series = [...label('__name__', 'up'), ...label('job', 'k'), ...sample];
    const body = [0x0a, series.length, ...series];
    expect([...message]).to.deep.equal([body.length, 63 << 2, body.length - 1, 0, 0, 0, ...body]);
  });
});
