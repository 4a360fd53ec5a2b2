import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import {
  attributeLabel,
  COLLECTOR_METRICS,
  type CollectorMetric,
  metricName,
  OWNER_ATTRIBUTES,
  PROMOTED_ATTRIBUTES,
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

  it('names each metric that is read, and what Prometheus calls it by default', () => {
    const [, section = ''] = /^## What is read$(.*?)^## /ms.exec(TEXT) ?? [];
    const rows = [...section.matchAll(/^\|.*$/gm)].map(([row]) =>
      row.split('|').map((cell) => [...cell.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name)),
    );
    const named: CollectorMetric[] = [];
    for (const [, , names = [], stored] of rows) {
      const metrics = COLLECTOR_METRICS.filter((metric) => names.includes(metric));
      const attributes = PROMOTED_ATTRIBUTES.filter((attribute) => names.includes(attribute));
      expect(names).to.have.members([...metrics, ...attributes]);
      expect(stored).to.have.members([
        ...metrics.map((one) => metricName(one)),
        ...attributes.map((one) => attributeLabel(one)),
      ]);
      named.push(...metrics);
    }
    expect(named).to.have.members([...COLLECTOR_METRICS]);
  });
});
