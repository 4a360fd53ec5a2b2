/** Work in steps of a few milliseconds, written as a generator: at a stretch, or with turns for other work in between. */

/** Does all steps at a stretch. */
export function finish<Result>(steps: Generator<undefined, Result>): Result {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/**
 * Does the same; `pause` is awaited between two steps.
 *
 * @throws what `pause` throws, which ends the work.
 */
export async function finishInTurns<Result>(
  steps: Generator<undefined, Result>,
  pause: () => Promise<unknown>,
): Promise<Result> {
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) await pause();
  return step.value;
}
