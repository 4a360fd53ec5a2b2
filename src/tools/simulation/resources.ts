/** What the containers of a workload ask for, and what they may use at most. */

import type { ContainerResources } from './pod-state.js';
import type { WorkloadSpec } from './workloads.js';

const MIB = 2 ** 20;

/** The next multiple of 1 / `parts` that is not smaller: 0.35 of 0.31 and 20, as a manifest has it. */
const upToPart = (parts: number, value: number) => Math.ceil(parts * value) / parts;

const upToMultiple = (of: number, value: number) => of * Math.ceil(value / of);

/** The main container of a pod. Memory runs out at four times the usual size, and CPU has room for a start. Jobs have no limits. */
export function mainResources({ kind, cpuCores, memoryBytes }: WorkloadSpec): ContainerResources {
  const requests = { cpu: upToPart(20, cpuCores), memory: upToMultiple(16 * MIB, 1.25 * memoryBytes) };
  if (kind === 'Job' || kind === 'CronJob') return { requests, limits: {} };
  return { requests, limits: { cpu: upToPart(2, 3 * cpuCores + 2), memory: upToMultiple(64 * MIB, 4 * memoryBytes) } };
}

export const PROXY_RESOURCES: ContainerResources = {
  requests: { cpu: 0.05, memory: 64 * MIB },
  limits: { cpu: 0.5, memory: 256 * MIB },
};
