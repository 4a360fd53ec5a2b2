/** For a test: a process that starts a server, says its id, and exits when it is told anything. */

import './ends-with-parent.js';
import { startServerProcess } from './server-process.js';

const server = await startServerProcess({
  program: 'sleep',
  parameters: ['600'],
  url: 'http://127.0.0.1:1',
  isReady: async () => true,
});
process.once('message', () => process.exit());
process.send?.(server.pid);
