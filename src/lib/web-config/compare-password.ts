/** bcrypt in a thread: on the event loop, each comparison would delay every scrape by 0.1 s. */

import { Worker } from 'node:worker_threads';

/** Whether the password matches the hash. The time depends on the cost of the hash only. */
export async function comparePassword(password: string, hash: string): Promise<boolean> {
  const worker = new Worker(new URL('./password-worker.js', import.meta.url), {
    workerData: [password, hash],
    // The environment may contain secrets, and the thread does not need them.
    env: {},
  });
  // The process may exit without waiting for it.
  worker.unref();
  return await new Promise<boolean>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('The thread that compares passwords ended without a result.')));
  });
}
