/** CPU, memory, event loop and garbage collection of this process, by prom-client. */

import { collectDefaultMetrics, Registry } from 'prom-client';

/**
 * What is taken of prom-client's default metrics, in their order: some set others when they are collected. Left out
 * are gauges whose names end in `_total`, which only a counter's may (`promtool check metrics`), and the minimum, mean
 * and deviation of the event loop's lag, which are 9223372036 and NaN where one scrape closely follows another.
 */
export const PROCESS_METRICS = [
  'process_cpu_user_seconds_total',
  'process_cpu_system_seconds_total',
  'process_cpu_seconds_total',
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  // These four are there on Linux only.
  'process_virtual_memory_bytes',
  'process_heap_bytes',
  'process_open_fds',
  'process_max_fds',
  'nodejs_eventloop_lag_seconds',
  'nodejs_eventloop_lag_max_seconds',
  'nodejs_eventloop_lag_p50_seconds',
  'nodejs_eventloop_lag_p90_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_active_resources',
  'nodejs_active_handles',
  'nodejs_active_requests',
  'nodejs_heap_size_total_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
  'nodejs_heap_space_size_total_bytes',
  'nodejs_heap_space_size_used_bytes',
  'nodejs_heap_space_size_available_bytes',
  'nodejs_version_info',
  'nodejs_gc_duration_seconds',
];

/** Adds them to a registry; prom-client owns their definitions. */
export function registerProcessMetrics(registry: Registry): void {
  const offered = new Registry();
  collectDefaultMetrics({ register: offered });
  for (const name of PROCESS_METRICS) {
    const metric = offered.getSingleMetric(name);
    if (metric !== undefined) registry.registerMetric(metric);
  }
}
