/** What a wrong feature file is reported with. By itself, so that the command line need not load the parser. */

/** A feature file is wrong. Each of `mistakes` tells place, what was expected and what came; some have an excerpt. */
export class FeatureFileError extends Error {
  override readonly name = 'FeatureFileError';

  constructor(
    path: string,
    readonly mistakes: readonly string[],
  ) {
    super(
      `${mistakes.length} ${mistakes.length === 1 ? 'mistake' : 'mistakes'} in the feature file ${path}:\n` +
        mistakes.map((mistake) => `  ${mistake.replaceAll('\n', '\n    ')}`).join('\n'),
    );
  }
}
