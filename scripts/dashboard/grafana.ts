/** Does with the dashboard what Grafana does: fills in variables and queries the data source. */

import type { AnnotationJson, TargetJson, VariableJson } from './json.js';

/** A series of an answer: an instant query gives one sample. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [timeSeconds: number, value: number])[];
}

export interface GrafanaOptions {
  readonly prometheusUrl: string;
  /** Unix time. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
  /** Time between the samples of a chart. */
  readonly stepSeconds: number;
  /** *Scrape interval* in the settings of the data source; 15 if unset. */
  readonly scrapeIntervalSeconds?: number;
  /** The selected values by variable; a variable without values selects all, and `cluster` what has no cluster. */
  readonly selected?: Readonly<Record<string, readonly string[]>>;
}

export interface Grafana {
  readonly options: GrafanaOptions;
  runTarget(target: TargetJson): Promise<readonly Series[]>;
  runAnnotation(annotation: AnnotationJson): Promise<readonly Series[]>;
  /** The choices of a variable. */
  runVariable(variable: VariableJson): Promise<readonly string[]>;
}

const ANSWER_LIMIT_MILLISECONDS = 15_000;

export function createGrafana(options: GrafanaOptions): Grafana {
  const { prometheusUrl, fromSeconds, toSeconds, stepSeconds } = options;
  const get = async (path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> => {
    const response = await fetch(`${prometheusUrl}/api/v1/${path}`, {
      ...(path.startsWith('query') ? { method: 'POST', body: new URLSearchParams(parameters) } : { method: 'GET' }),
      signal: AbortSignal.timeout(ANSWER_LIMIT_MILLISECONDS),
    });
    const answer = (await response.json()) as { status: string; data: unknown; error?: string };
    if (answer.status !== 'success') {
      throw new Error(`Prometheus did not accept ${parameters.query ?? path}: ${answer.error}`);
    }
    return answer.data;
  };
  const range = async (query: string) =>
    toSeries(
      await get('query_range', {
        query,
        start: String(fromSeconds),
        end: String(toSeconds),
        step: String(stepSeconds),
      }),
    );
  return {
    options,
    runTarget: async ({ expr, instant }) => {
      const query = fillVariables(expr, options);
      if (!instant) return range(query);
      return toSeries(await get('query', { query, time: String(toSeconds) }));
    },
    runAnnotation: ({ expr }) => range(fillVariables(expr, options)),
    runVariable: async ({ query }) => {
      const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(fillVariables(query, options)) ?? [];
      if (selector === undefined || label === undefined) {
        throw new Error(`Expected label_values(selector, label), got ${query}.`);
      }
      const parameters = { 'match[]': selector, start: String(fromSeconds), end: String(toSeconds) };
      const path = `label/${label}/values?${new URLSearchParams(parameters)}`;
      return (await get(path, parameters)) as string[];
    },
  };
}

/**
 * PromQL with the variables filled in, by the rules of Grafana's data source for Prometheus: several values become
 * `(a|b)`, and special characters of regular expressions are escaped twice, since they are within a string.
 */
export function fillVariables(expression: string, options: GrafanaOptions): string {
  const { fromSeconds, toSeconds, stepSeconds, scrapeIntervalSeconds = 15, selected = {} } = options;
  const choice = (name: string) => {
    const values = selected[name];
    if (values === undefined) return '.*';
    const escaped = values.map((value) => value.replace(/[$^*{}[\]'+?.()|]/g, '\\\\$&'));
    return escaped.length === 1 ? String(escaped[0]) : `(${escaped.join('|')})`;
  };
  const values: Readonly<Record<string, string>> = {
    // One value, or none where no series has the label.
    cluster: selected.cluster?.[0] ?? '',
    namespace: choice('namespace'),
    workload: choice('workload'),
    pod: choice('pod'),
    __range: `${Math.round(toSeconds - fromSeconds)}s`,
    __interval: `${stepSeconds}s`,
    // As Grafana's documentation has it: four scrapes, or one more than the samples are apart.
    __rate_interval: `${Math.max(4 * scrapeIntervalSeconds, stepSeconds + scrapeIntervalSeconds)}s`,
  };
  // `$1` is what the regular expression of `label_replace` found.
  return expression.replace(/\$([a-z_]\w*)|\$\{(\w+)[^}]*\}/gi, (whole, bare?: string, braced?: string) => {
    const value = values[bare ?? braced ?? ''];
    if (value === undefined) throw new Error(`Expected a variable of the dashboard, got ${whole}.`);
    return value;
  });
}

interface Answer {
  readonly resultType: string;
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly value?: readonly [number, string];
    readonly values?: readonly (readonly [number, string])[];
  }[];
}

function toSeries(data: unknown): Series[] {
  return (data as Answer).result.map(({ metric, value, values }) => ({
    labels: metric,
    samples: (values ?? (value === undefined ? [] : [value])).map(([time, text]) => [time, Number(text)]),
  }));
}
