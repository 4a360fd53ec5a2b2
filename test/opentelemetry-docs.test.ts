import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import {
  metricName,
  OWNER_ATTRIBUTES,
  PROMOTED_ATTRIBUTES,
  TRANSLATIONS,
} from '../src/exporter/features/opentelemetry/names.js';

const TEXT = readFileSync('docs/opentelemetry.md', 'utf8');

/** The block of YAML after a mark. */
function block(mark: string): unknown {
  return parse(new RegExp(`<!-- ${mark} -->\n\`\`\`yaml\n([\\s\\S]*?)\`\`\``).exec(TEXT)?.[1] ?? '');
}

describe('docs/opentelemetry.md', () => {
  it('lets Prometheus promote what the queries read', () => {
    const { otlp } = block('prometheus') as { readonly otlp: Readonly<Record<string, unknown>> };
    expect(otlp.promote_resource_attributes).to.deep.equal(PROMOTED_ATTRIBUTES);
  });

  it('lets the Collector extract the attributes of owners', () => {
    const { processors } = block('collector') as {
      readonly processors: { readonly k8s_attributes: { readonly extract: { readonly metadata: readonly string[] } } };
    };
    expect(processors.k8s_attributes.extract.metadata).to.deep.equal(Object.keys(OWNER_ATTRIBUTES));
  });

  it('names the metrics as Prometheus does by default', () => {
    for (const metric of [
      'container.cpu.time',
      'container.memory.rss',
      'k8s.container.restarts',
      'k8s.pod.phase',
    ] as const) {
      expect(TEXT).to.include(`\`${metricName(metric, TRANSLATIONS[0])}\``);
    }
  });
});
