// Backends: one per provider, or one per GPU entry that names the provider. Slots are generations in flight,
// max_children live children whose prompt caches stay warm.

import type { Config } from "../core/config-schema.ts";
import type { BackendSettings } from "../core/settings.ts";
import type { Discovery } from "./discovery.ts";
import { isLocal } from "./models.ts";
import type { ProviderPlan } from "./plan.ts";

/** A model server of unknown parallelism has one slot: Ollama's own default is one, and no API tells another. */
const LOCAL_SLOTS = 1;
/** A cloud endpoint takes several requests at once; few accounts refuse four. */
const REMOTE_SLOTS = 4;
/** With one slot, four children take turns while the others run tools. */
const LEAST_MAX_CHILDREN = 4;

function backendsOf(plan: ProviderPlan, config: Config, discovery: Discovery): readonly BackendSettings[] {
  const local = isLocal(plan, discovery.providers[plan.name]);
  const automatic = local ? LOCAL_SLOTS : REMOTE_SLOTS;
  const slots = plan.config.slots === "auto" ? automatic : plan.config.slots;
  const children = (wanted: number | undefined, own: number): number =>
    wanted ?? plan.config.max_children ?? Math.max(own, LEAST_MAX_CHILDREN);
  const gpus = config.gpus.filter((gpu) => gpu.provider === plan.name);
  if (gpus.length === 0) {
    const maxChildren = children(undefined, slots);
    return [{ name: plan.name, provider: plan.name, gpu: null, slots, maxChildren, local }];
  }
  return gpus.map((gpu) => {
    const own = gpu.slots === "auto" ? slots : gpu.slots;
    return {
      name: gpus.length === 1 ? plan.name : `${plan.name}@${gpu.id}`,
      provider: plan.name,
      gpu: gpu.id,
      slots: own,
      maxChildren: children(gpu.max_children, own),
      local,
    };
  });
}

/** Contract: never throws; in the order of the plans, then of the GPUs. */
export function makeBackends(
  plans: readonly ProviderPlan[],
  config: Config,
  discovery: Discovery,
): readonly BackendSettings[] {
  return plans.flatMap((plan) => backendsOf(plan, config, discovery));
}
