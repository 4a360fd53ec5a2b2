/** The lists of annotations and labels with which the documents configure kube-state-metrics. */

import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

/** The same keys for annotations and labels, as arguments of kube-state-metrics. */
export async function tuningLists(): Promise<readonly string[]> {
  const page = await readFile('docs/tuning.md', 'utf8');
  const [, example = ''] = /^<!-- tested: allow-list -->\n```yaml\n(.*?)^```$/ms.exec(page) ?? [];
  const { metricAnnotationsAllowList: items } = (
    parse(example) as { readonly 'kube-state-metrics': { readonly metricAnnotationsAllowList: readonly string[] } }
  )['kube-state-metrics'];
  return ['annotations', 'labels'].map((source) => `--metric-${source}-allowlist=${items.join(',')}`);
}
