// The settings that an incarnation of the server is begun with: those of its world, and of its place among the lives.

import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import { DEFAULT_ROUTING, type RoutingSettings } from "../../src/core/routing.ts";
import type { BackendSettings, ModelSettings, Settings } from "../../src/core/settings.ts";
import { agentNamed, modelAt, testSettings } from "../runtime/rig.ts";
import { CLOUD_MODEL, LOCAL_MODELS, OTHER_AGENT, type Box, type RoutesOfBox } from "./box.ts";
import { MODEL_BYTES } from "./model-server.ts";
import { DEEPEST } from "./plan.ts";
import type { Caps, World } from "./world.ts";

/** Active time that a task has. */
export const TIMEOUT_MS = 5_000;
/** How long a cancelled task may take to let go. */
export const CANCEL_DEADLINE_MS = 1_000;
const MAX_QUEUED = 1_000;
/** What models are loaded with where that is at our command; no conversation here is as long. */
export const CONTEXT_TOKENS = 100_000;

/** A micro for a token read, and two for one written. */
const MODEL_PRICES = { promptPriceMicros: 1_000_000, outputPriceMicros: 2_000_000, priced: true };
/** A model fits beside others up to four fifths of the memory. */
const MEMORY_SHARE = 0.8;
const CLOUD_SLOTS = 2;

export function settingsOf(world: World, caps: Caps, life: number): Settings {
  const { box } = world;
  const routes = box?.routes ?? null;
  return testSettings({
    models: modelsOf(box),
    backends: backendsOf(world, caps),
    sessionAgent: agentNamed("session", {
      toolsets: ["delegation", "sim"],
      role: "orchestrator",
      ...(routes?.sessions && { route: routes.sessions }),
    }),
    ...(routes && { childAgent: agentNamed("child", { route: routes.children, escalate: routes.escalate }) }),
    ...(box && { agents: [agentNamed(OTHER_AGENT, { model: "gpu/parent" })] }),
    routing: routes ? routingOf(routes, life) : DEFAULT_ROUTING,
    delegation: {
      maxConcurrentChildren: caps.childSlots,
      maxSpawnDepth: DEEPEST,
      onInterrupt: world.onInterrupt,
      defaultToolsets: ["sim"],
    },
    limits: { ...DEFAULT_TASK_LIMITS, timeoutMs: TIMEOUT_MS, maxOutputTokens: 512 },
    cancelDeadlineMs: CANCEL_DEADLINE_MS,
    interactivePatienceMs: 500,
    maxQueued: MAX_QUEUED,
  });
}

/** What an incarnation allows of tasks that leave their model. */
export function routingOf(
  { fallbacks, maxCostMicros, maxWaitMs }: RoutesOfBox,
  life: number,
): RoutingSettings {
  const fallback = fallbacks[life] ?? fallbacks.at(-1) ?? DEFAULT_ROUTING.fallback;
  return { ...DEFAULT_ROUTING, fallback, maxCostMicros, maxWaitMs };
}

function modelsOf(box: Box | null): readonly ModelSettings[] {
  if (box === null) return testSettings().models.map((model) => ({ ...model, ...MODEL_PRICES }));
  const contextTokens = box.room === null ? null : CONTEXT_TOKENS;
  const local = LOCAL_MODELS.map((model) =>
    modelAt({ provider: "gpu", model, backend: "gpu" }, { ...MODEL_PRICES, contextTokens }),
  );
  if (box.routes === null) return local;
  return [...local, modelAt({ provider: "cloud", model: CLOUD_MODEL, backend: "cloud" }, MODEL_PRICES)];
}

function backendsOf({ box }: World, caps: Caps): readonly BackendSettings[] {
  const gpu = {
    name: "gpu",
    provider: "gpu",
    gpu: "gpu0",
    slots: caps.slots,
    maxChildren: caps.places,
    local: true,
    ...residencyOf(box),
  };
  if (!box?.routes) return [gpu];
  const room = { slots: CLOUD_SLOTS, maxChildren: caps.places };
  return [gpu, { name: "cloud", provider: "cloud", gpu: null, local: false, ...room }];
}

/** What is said of a memory in which so many models have room. */
function residencyOf(box: Box | null): Pick<BackendSettings, "residency"> {
  if (box === null || box.room === null) return {};
  const vramBytes = box.isRoomKnown ? (box.room * MODEL_BYTES) / MEMORY_SHARE : null;
  return { residency: { vramBytes } };
}
