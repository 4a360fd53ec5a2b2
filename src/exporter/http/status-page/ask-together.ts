/** Several questions of which no answer is of use without the others. */

import { withDeadline } from '../../../lib/deadline.js';

/**
 * Asks all at once. When one of them fails, the others are ended, and none is under way any more.
 *
 * @throws what the first of them that failed has thrown.
 */
export async function askTogether<Answer>(
  timeoutSeconds: number,
  ask: (signal: AbortSignal) => readonly Promise<Answer>[],
): Promise<readonly Answer[]> {
  const controller = new AbortController();
  const asked = ask(withDeadline(controller.signal, timeoutSeconds));
  return Promise.all(asked).catch(async (error: unknown) => {
    controller.abort();
    await Promise.allSettled(asked);
    throw error;
  });
}
