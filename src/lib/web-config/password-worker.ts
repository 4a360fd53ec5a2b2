/** Compares one password with one bcrypt hash, in a thread of its own, and ends. */

import { parentPort, workerData } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

/** The input of the thread. */
export interface PasswordCheck {
  readonly password: string;
  readonly hash: string;
}

const { password, hash } = workerData as PasswordCheck;
parentPort?.postMessage(compareSync(password, hash));
