// What there is on this machine: the GPUs, and the model servers of a config with their models. It asks and changes
// nothing; what does not answer is told as a problem.

import { Credentials } from "../credentials/credentials.ts";
import type { Discovery } from "../config/discovery.ts";
import type { LoadedConfig } from "../config/load.ts";
import { planProviders, type ProviderPlan } from "../config/plan.ts";
import { ProviderPool } from "../runtime/provider-pool.ts";
import { probeGpus, type GpuAnswer } from "./gpu-probe.ts";
import { vramOf } from "./machine-memory.ts";
import type { CliWorld } from "./world.ts";

export interface Survey {
  readonly plans: readonly ProviderPlan[];
  readonly discovery: Discovery;
  readonly gpus: GpuAnswer;
  readonly pool: ProviderPool;
}

/** Contract: throws ConfigErrors of a wrong config or environment only. */
export async function survey(loaded: LoadedConfig, world: CliWorld): Promise<Survey> {
  const { plans } = planProviders(loaded.config, world.env);
  const credentials = new Credentials({ env: world.env, sources: plans });
  const pool = new ProviderPool({ plans, credentials, fetch: world.fetch, clock: world.clock });
  const [gpus, providers] = await Promise.all([probeGpus(world.env, world.clock), pool.discover()]);
  return { plans, discovery: { providers, vramBytes: vramOf(loaded, gpus, world) }, gpus, pool };
}
