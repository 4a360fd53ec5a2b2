/**
 * Preloaded into the exporter (`node --import probe.js`), where it watches the event loop from within. It answers
 * messages of the process that started it, and ends the exporter with that one.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import '../support/ends-with-parent.js';

/**
 * `watch` starts to watch the event loop anew, `report` ends that. A number shifts the clock by so many milliseconds, where
 * it can be shifted. All are answered with a report.
 */
export type ProbeRequest = 'watch' | 'report' | number;

/** What the process has seen of itself. */
export interface ProbeReport {
  /** The longest time since `watch` in which the event loop could not turn, in seconds. */
  readonly longestBlockSeconds: number;
  /** Processor time of the whole process since its start, user and system, in seconds. */
  readonly cpuSeconds: number;
}

const RESOLUTION_MILLISECONDS = 1;

// The thread of a training inherits the option.
if (isMainThread && process.send !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MILLISECONDS });
  process.on('message', async (request: ProbeRequest) => {
    if (typeof request === 'number') {
      const { shiftClock } = await import('../support/shifted-clock.js');
      shiftClock(request);
    } else if (request === 'watch') {
      delay.reset();
      delay.enable();
    } else delay.disable();
    const { user, system } = process.cpuUsage();
    const report: ProbeReport = {
      // The histogram has the time between two ticks, which is that of a tick where nothing blocks.
      longestBlockSeconds: Math.max(0, delay.max / 1e9 - RESOLUTION_MILLISECONDS / 1000),
      cpuSeconds: (user + system) / 1e6,
    };
    process.send?.(report);
  });
  process.channel?.unref();
}
