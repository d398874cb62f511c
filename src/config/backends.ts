// Backends: one per provider, or one per GPU entry that names the provider. Slots are generations in flight,
// max_children live children whose prompt caches stay warm; what is `auto` is a first guess that the scheduler betters.

import type { Config } from "../core/config-schema.ts";
import type { BackendSettings } from "../core/settings.ts";
import type { Discovery } from "./discovery.ts";
import { isLocal, isOllama } from "./models.ts";
import type { ProviderPlan } from "./plan.ts";

/** The first guess of a model server: Ollama's own default is one, and no API tells another. */
const LOCAL_SLOTS = 1;
/** A cloud endpoint takes several requests at once; few accounts refuse four. */
const REMOTE_SLOTS = 4;
/** With one slot, four children take turns while the others run tools. */
const LEAST_MAX_CHILDREN = 4;
/** While half of them run tools, the others keep the slots busy; many more would push each other out of the cache. */
const CHILDREN_OF_A_SLOT = 2;
/** What is found by measuring stays below these, beside which a batch or an account has other limits. */
const MOST_SLOTS = 32;
const MOST_CHILDREN = 64;

type Count = number | "auto";

/** Slots and children of one backend, as they are written or guessed; absent children are found where slots are. */
function capsOf(slots: Count, maxChildren: Count | undefined, guess: number) {
  const first = slots === "auto" ? guess : slots;
  const isFound = maxChildren === "auto" || (maxChildren === undefined && slots === "auto");
  return {
    slots: first,
    ...(slots === "auto" && { autoSlots: { most: MOST_SLOTS } }),
    maxChildren:
      typeof maxChildren === "number"
        ? maxChildren
        : Math.max(CHILDREN_OF_A_SLOT * first, LEAST_MAX_CHILDREN),
    ...(isFound && { autoChildren: { most: MOST_CHILDREN } }),
  };
}

/** Ollama's own cloud has nothing to load, and no memory that could be seen. */
const OLLAMA_CLOUD = /^https?:\/\/([^/]+\.)?ollama\.com(:|\/|$)/i;

/**
 * Where models are loaded and unloaded at our command: on an Ollama that is one backend. Several backends of one server
 * share its memory, which then stays the server's own business.
 */
function residencyOf(
  plan: ProviderPlan,
  { providers, vramBytes }: Discovery,
): Pick<BackendSettings, "residency"> {
  const isOurs = plan.config.manage_models && isOllama(plan, providers[plan.name]);
  return isOurs && !OLLAMA_CLOUD.test(plan.baseUrl) ? { residency: { vramBytes } } : {};
}

function backendsOf(plan: ProviderPlan, config: Config, discovery: Discovery): readonly BackendSettings[] {
  const { slots, max_children: maxChildren } = plan.config;
  const local = isLocal(plan, discovery.providers[plan.name]);
  const guess = local ? LOCAL_SLOTS : REMOTE_SLOTS;
  const gpus = config.gpus.filter((gpu) => gpu.provider === plan.name);
  if (gpus.length === 0) {
    const own = {
      name: plan.name,
      provider: plan.name,
      gpu: null,
      ...capsOf(slots, maxChildren, guess),
      local,
    };
    return [{ ...own, ...residencyOf(plan, discovery) }];
  }
  return gpus.map((gpu) => ({
    name: gpus.length === 1 ? plan.name : `${plan.name}@${gpu.id}`,
    provider: plan.name,
    gpu: gpu.id,
    ...capsOf(gpu.slots === "auto" ? slots : gpu.slots, gpu.max_children ?? maxChildren, guess),
    local,
    ...(gpus.length === 1 && residencyOf(plan, discovery)),
  }));
}

/** Contract: never throws; in the order of the plans, then of the GPUs. */
export function makeBackends(
  plans: readonly ProviderPlan[],
  config: Config,
  discovery: Discovery,
): readonly BackendSettings[] {
  return plans.flatMap((plan) => backendsOf(plan, config, discovery));
}
