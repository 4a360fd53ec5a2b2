import { expect } from 'chai';
import { decodeBuildInfo } from '../../../src/exporter/prometheus/metadata.js';
import { ServerTexts } from '../../../src/exporter/prometheus/server-texts.js';

const asked = { texts: new ServerTexts([]) };

describe('build information', () => {
  it('is read as far as it is there', () => {
    const body = JSON.stringify({
      status: 'success',
      data: { version: '2.42.0', revision: 'abc', goVersion: 'go1.19' },
    });
    expect(decodeBuildInfo(asked, body)).to.deep.equal({
      application: undefined,
      version: '2.42.0',
      revision: 'abc',
    });
    expect(decodeBuildInfo(asked, '{"status":"success","data":{}}')).to.deep.equal({
      application: undefined,
      version: undefined,
      revision: undefined,
    });
  });

  it('is short', () => {
    const body = JSON.stringify({ status: 'success', data: { version: 'x'.repeat(10_000) } });
    expect(decodeBuildInfo(asked, body)?.version).to.have.lengthOf(100);
  });

  for (const body of ['', '<html>', 'null', '[]', '{"status":"error"}', '{"status":"success","data":[]}']) {
    it(`is not in ${body || 'an empty body'}`, () => expect(decodeBuildInfo(asked, body)).to.equal(undefined));
  }
});
