/** For processes that another one has forked: they end with that one, however that one ended, and when. */

import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  if (process.connected) process.on('disconnect', () => process.exit());
  else process.exit();
}
