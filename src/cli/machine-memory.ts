// Whether the GPUs of this machine are those of the model servers, and if so, how much memory they have.

import type { LoadedConfig } from "../config/load.ts";
import { planProviders } from "../config/plan.ts";
import { isLoopback } from "../core/endpoint.ts";
import { serverMemory, type GpuAnswer } from "./gpu-probe.ts";
import type { CliWorld } from "./world.ts";

/** Contract: `null` when a model server is on another machine, or nothing is known. Throws as `planProviders` does. */
export function vramOf({ config }: LoadedConfig, answer: GpuAnswer, world: CliWorld): number | null {
  const { plans } = planProviders(config, world.env);
  const local = plans.filter((plan) => plan.type !== "openai" || isLoopback(plan.baseUrl));
  if (local.length === 0 || !local.every((plan) => isLoopback(plan.baseUrl))) return null;
  const servers = new Set(config.gpus.map((gpu) => gpu.provider));
  return serverMemory(answer.gpus, servers.size);
}
