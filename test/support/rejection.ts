import { expect } from 'chai';

/** Waits for a promise to reject and gives the error, which must be of the class; a fulfilled promise fails. */
export async function rejection<Wanted extends Error>(
  promise: Promise<unknown>,
  wanted: abstract new (...parameters: never[]) => Wanted,
): Promise<Wanted> {
  const outcome = await promise.then(
    () => 'fulfilled',
    (error: unknown) => error,
  );
  if (outcome instanceof wanted) return outcome;
  return expect.fail(`expected a ${wanted.name}, got ${String(outcome)}`);
}
