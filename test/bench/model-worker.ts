/** The other thread of `model.ts`: trains on made-up tables once, and sends the model whenever it is asked to. */

import { parentPort, workerData } from 'node:worker_threads';
import { fitModel } from '../../src/exporter/model/fit.js';
import { encodeModel } from '../../src/exporter/model/snapshot/codec.js';
import { DEFAULT_FEATURES, madeUpTables } from '../support/made-up-cluster.js';
import { DEFAULT_PARAMETERS } from '../support/parameters.js';

const model = fitModel(madeUpTables(workerData as number), DEFAULT_FEATURES, DEFAULT_PARAMETERS);
parentPort?.on('message', () => {
  const bytes = encodeModel(model);
  parentPort?.postMessage(bytes, [bytes.buffer]);
});
