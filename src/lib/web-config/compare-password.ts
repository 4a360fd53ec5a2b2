/** bcrypt beside the event loop: on it, each comparison would hold up every scrape for a tenth of a second. */

import { Worker } from 'node:worker_threads';
import type { PasswordCheck } from './password-worker.js';

/** Whether the password is the one of the hash. Takes as long as the hash's cost says, whatever the password. */
export async function comparePassword(password: string, hash: string): Promise<boolean> {
  const check: PasswordCheck = { password, hash };
  const worker = new Worker(new URL('./password-worker.js', import.meta.url), {
    workerData: check,
    // The settings have secrets, and the thread needs none of them.
    env: {},
  });
  // A service that ends does not wait for it.
  worker.unref();
  return await new Promise<boolean>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () =>
      reject(new Error('The thread that compares passwords ended without a result.')),
    );
  });
}
