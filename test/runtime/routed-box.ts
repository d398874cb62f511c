// A box of five local models and a cloud's, each with a backend of its own, and an agent with a route over some of them.

import { expect } from "vitest";
import type { Reply } from "../../providers/scripted.ts";
import { fail, finish, say } from "../../providers/script.ts";
import { DEFAULT_ROUTING, type Fallback } from "../../src/core/routing.ts";
import type { ModelSettings, Settings } from "../../src/core/settings.ts";
import type { ModelRef } from "../../src/core/task.ts";
import { agentNamed, modelAt, NOTHING_HELD, rig, type Rig, type RigOptions } from "./rig.ts";

export const PLACES = ["gpu0", "gpu1", "gpu2", "gpu3", "gpu4", "cloud"] as const;
export type Place = (typeof PLACES)[number];

export function ref(place: Place): ModelRef {
  return { provider: place, model: `m-${place}`, backend: place };
}

/** A micro for each token. */
export const PRICED = { promptPriceMicros: 1_000_000, outputPriceMicros: 1_000_000, priced: true };

export const nameAt = (place: Place): string => `${place}/m-${place}`;

export interface Box {
  readonly route: readonly Place[];
  /** What each model does; one that is not named answers `from PLACE`. */
  readonly models: Partial<Record<Place, () => Reply>>;
  readonly fallback?: Fallback;
  readonly maxCostMicros?: number;
  readonly settings?: Partial<Settings>;
  readonly facts?: Partial<Record<Place, Partial<ModelSettings>>>;
  readonly rest?: Partial<RigOptions>;
}

export function options({
  route,
  models,
  fallback = "both",
  maxCostMicros,
  settings,
  facts = {},
  rest,
}: Box): RigOptions {
  return {
    reply: ({ model }) => {
      const place = model.slice(2) as Place;
      return (
        models[place]?.() ?? [
          say(`from ${place}`),
          finish("stop", { promptTokens: 1_000, outputTokens: 1_000 }),
        ]
      );
    },
    ...rest,
    settings: {
      backends: PLACES.map((name) => ({
        name,
        provider: name,
        gpu: null,
        slots: 1,
        maxChildren: 1,
        local: name !== "cloud",
      })),
      models: PLACES.map((place) => modelAt(ref(place), facts[place])),
      parentModel: ref("gpu0"),
      childModel: ref("gpu0"),
      agents: [agentNamed("routed", { route: route.map(nameAt) })],
      routing: { ...DEFAULT_ROUTING, fallback, maxCostMicros: maxCostMicros ?? null },
      ...settings,
    },
  };
}

/** With the models that were asked for anything. */
export function box(given: Box): Rig & { readonly asked: ReadonlySet<string> } {
  const made = options(given);
  const asked = new Set<string>();
  const reply: RigOptions["reply"] = (request) => {
    asked.add(request.model);
    return made.reply(request);
  };
  return { ...rig({ ...made, reply }), asked };
}

export const down = (): Reply => [fail("network", "network", "Nobody answers there.")];
export const refused = (): Reply => [fail("auth", "auth", "The key is wrong.")];

/** Delegates, and waits until the task has ended and let go of everything. */
export async function outcome({ api, clock, store, runtime }: Rig, request: object = {}) {
  const { taskId } = await api.delegate({ goal: "dig", agent: "routed", ...request });
  await clock.advance(120_000);
  const result = await api.collect(taskId, { timeoutMs: 0 });
  const view = await api.check(taskId);
  const events = await store.events({ after: 0, taskId });
  const told = events.flatMap(({ type, data }) => (type === "task.rerouted" ? [data as { to: string }] : []));
  expect(runtime.counts()).toEqual(NOTHING_HELD);
  return { taskId, result, view, events, told };
}
