import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';
import request from 'supertest';
import { createApp } from '../../../src/exporter/http/app.js';
import { ENDPOINTS } from '../../../src/exporter/http/endpoints.js';
import { fakeDependencies } from '../../support/http-fixtures.js';

describe('GET /openapi.json', () => {
  const fetchDocument = async () =>
    (await request(createApp(fakeDependencies())).get('/openapi.json').expect(200)).body;

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(await fetchDocument());
    expect(errors).to.equal(undefined);
    expect(valid).to.equal(true);
    expect(validator.version).to.equal('3.1');
  });

  it('has exactly the endpoints of the table, and all of them answer', async () => {
    const { paths, info } = await fetchDocument();
    expect(info.version).to.equal('1.2.3');
    expect(Object.keys(paths)).to.deep.equal(ENDPOINTS.map(({ path }) => path));
    for (const path of Object.keys(paths)) {
      const { status, type } = await request(createApp(fakeDependencies())).get(path);
      expect(status, path).to.equal(200);
      const [documented = ''] = Object.keys(paths[path].get.responses[200].content);
      expect(documented.split(';')[0], path).to.equal(type);
    }
  });

  it('describes the parameters of /detect by what they mean', async () => {
    const { paths } = await fetchDocument();
    expect(paths['/detect'].get.parameters).to.deep.equal([
      {
        name: 'namespace',
        in: 'query',
        description: 'Only pods of this namespace.',
        schema: { type: 'string', minLength: 1 },
      },
      {
        name: 'flagged',
        in: 'query',
        description: '`true`: only anomalous pods; `false`: only the others.',
        schema: { type: 'boolean' },
      },
      {
        name: 'limit',
        in: 'query',
        description: 'At most this many pods, the most anomalous ones; 0 for all. `matching` tells how many there are.',
        schema: { type: 'integer', minimum: 0, default: 1000 },
      },
    ]);
  });

  it('lists what the web configuration and the limits refuse with, but for the probes, which answer always', async () => {
    const { paths } = await fetchDocument();
    for (const path of Object.keys(paths)) {
      const { responses } = paths[path].get;
      const refusals = ['401', '429', '503'].filter((status) => status in responses);
      expect(refusals, path).to.deep.equal(path.startsWith('/-/') ? [] : ['401', '429', '503']);
    }
  });

  it('refers only to schemas that it has, and describes every field of them', async () => {
    const document = await fetchDocument();
    for (const [, name = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
      expect(document.components.schemas).to.have.property(name);
    }
    expect(undescribed(document.components.schemas)).to.deep.equal([]);
  });
});

interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** The paths of all fields without a description. */
function undescribed(fields: Readonly<Record<string, JsonSchema>>, parent = ''): string[] {
  return Object.entries(fields).flatMap(([name, schema]) => {
    const path = `${parent}/${name}`;
    const nested = [schema, schema.items, ...(schema.anyOf ?? [])].flatMap((part) =>
      undescribed(part?.properties ?? {}, path),
    );
    return schema.description ? nested : [path, ...nested];
  });
}
