/** `/openapi.json`: the API described for programs, from the table of endpoints and the schemas. */

import { z } from 'zod';
import { ENDPOINTS, type Endpoint } from './endpoints.js';
import { SCHEMAS } from './schemas.js';

/** An object whose shape a standard defines. */
type Json = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 document of all endpoints. Its server is relative, so that it holds behind a path prefix as well. */
export function buildOpenApi(version: string): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'k8s-anomaly-detector',
      description: 'Reports which Kubernetes pods behave unusually.',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: './' }],
    paths: Object.fromEntries(ENDPOINTS.map((endpoint) => [endpoint.path, { get: toOperation(endpoint) }])),
    components: { schemas: mapValues(SCHEMAS, toJsonSchema) },
  };
}

function toOperation({ path, summary, query, responses }: Endpoint): Json {
  return {
    operationId: path.split(/\W+/).filter(Boolean).join('_') || 'status',
    summary,
    ...(query && { parameters: toParameters(query) }),
    responses: mapValues(responses, toResponse),
  };
}

function toParameters(query: z.ZodObject): Json[] {
  return Object.entries(query.shape).map(([name, type]) => {
    const { description, ...schema } = toJsonSchema(type);
    return { name, in: 'query', description, schema };
  });
}

function toResponse({ description, contentType, schema }: Endpoint['responses'][number]): Json {
  const type = contentType === 'application/json' ? 'object' : 'string';
  const body = schema === undefined ? { type } : { $ref: `#/components/schemas/${schema}` };
  return { description, content: { [contentType]: { schema: body } } };
}

/** A schema in JSON Schema, the dialect of OpenAPI 3.1, without the limits of JavaScript's numbers. */
function toJsonSchema(type: z.core.$ZodType): Json {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(type, {
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      // A client must not refuse what a later version adds.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return schema;
}

function mapValues<Value>(object: Readonly<Record<string, Value>>, map: (value: Value) => Json): Json {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
}
