/** What is exposed at one instant: families of samples. */

export interface MetricFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export const sample = (labels: MetricSample['labels'], value: number): MetricSample => ({ labels, value });
