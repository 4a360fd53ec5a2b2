/** Asks how far back the data of a selector reaches. */

import { trainingSlices, trainingWindow } from '../training/plan.js';
import type { Asker } from './asker.js';
import type { Conditions, HistoryFacts } from './facts.js';

/** Number of instants of the window that are checked at most. */
const MOST_INSTANTS = 120;

/** @param selector of a required feature. */
export async function gatherHistory(
  asker: Asker,
  selector: string,
  training: Conditions['training'],
): Promise<HistoryFacts> {
  const times = { ...training, nowSeconds: asker.nowSeconds };
  const window = trainingWindow(times).grid;
  const startSeconds = window[0] as number;
  const endSeconds = window.at(-1) as number;
  const count = `count(${selector})`;
  const stepSeconds = Math.max(training.stepSeconds, Math.ceil((endSeconds - startSeconds) / MOST_INSTANTS));
  const [inWindow, slices] = await Promise.all([
    asker.range(count, startSeconds, endSeconds, stepSeconds),
    Promise.all(
      trainingSlices(times, training.baseline).map(async ({ grid }) => {
        const middle = grid[Math.floor(grid.length / 2)] as number;
        const present = (await asker.number(count, middle)) > 0;
        return { ageSeconds: asker.nowSeconds - (grid[0] as number), present };
      }),
    ),
  ]);
  const windowInstants = Math.floor((endSeconds - startSeconds) / stepSeconds) + 1;
  const oldest = inWindow.timestampsSeconds[0];
  return {
    reachSeconds: oldest === undefined ? 0 : asker.nowSeconds - oldest,
    stepSeconds,
    windowInstants,
    windowGaps: windowInstants - inWindow.values.length,
    slices,
  };
}
