/** What was measured of the exporter and, beside it, of the plain service. */

import { format, type Measurement, summarize, type Unit } from '../measurement.js';
import { align } from '../report.js';

export type Who = 'exporter' | 'plain service';

/** Values by what they are of. */
export class Account {
  readonly #values = new Map<string, { readonly unit: Unit } & Record<Who, number[]>>();

  constructor(private readonly pods: number) {}

  add(what: string, who: Who, unit: Unit, ...values: readonly number[]): void {
    const row = this.#values.get(what) ?? { unit, exporter: [], 'plain service': [] };
    row[who].push(...values);
    this.#values.set(what, row);
  }

  /** What was seen so far, in order. @throws {Error} when there is nothing. */
  mean(what: string, who: Who): number {
    const values = this.#values.get(what)?.[who] ?? [];
    if (values.length === 0) throw new Error(`Nothing was measured of ${what} of the ${who}.`);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  }

  /** For files of figures. @param prefix of their names. */
  measurements(prefix: string): Measurement[] {
    return [...this.#values].flatMap(([what, { unit, ...of }]) =>
      (['exporter', 'plain service'] as const)
        .filter((who) => of[who].length > 0)
        .map((who) => summarize(`${prefix}: ${what}, ${who}`, this.pods, unit, of[who])),
    );
  }

  /** For people: medians and, behind them, means, in which the garbage collections of the server are. */
  table(): string {
    const header = ['what', 'exporter', 'mean', 'plain service', 'mean', 'ratio', 'of means', 'n'];
    const rows = [...this.#values].map(([what, { unit, ...of }]) => {
      const [own, plain] = (['exporter', 'plain service'] as const).map((who) =>
        of[who].length === 0
          ? undefined
          : { median: summarize('', this.pods, unit, of[who]).median, mean: this.mean(what, who) },
      );
      const cells = [own, plain].flatMap((values) =>
        values === undefined ? ['', ''] : [format(values.median, unit), format(values.mean, unit)],
      );
      const ratios = own && plain ? [own.median / plain.median, own.mean / plain.mean] : [];
      return [
        what,
        ...cells,
        ...ratios.map((ratio) => ratio.toFixed(2)),
        ...(ratios.length === 0 ? ['', ''] : []),
        `${of.exporter.length}`,
      ];
    });
    return align([header, ...rows]);
  }
}
