/** The settings of a shard as flags. */

import type { Environment } from './environment.js';
import { SETTINGS } from './settings.js';

/** The settings that are flags of the command line too, as in kube-state-metrics. */
export interface ShardFlags {
  readonly shard?: string | undefined;
  readonly totalShards?: string | undefined;
}

/** The environment with the flags in the place of their variables. */
export function withShardFlags(environment: Environment, { shard, totalShards }: ShardFlags): Environment {
  return {
    ...environment,
    ...(shard !== undefined && { [SETTINGS.shard.env]: shard }),
    ...(totalShards !== undefined && { [SETTINGS.totalShards.env]: totalShards }),
  };
}
