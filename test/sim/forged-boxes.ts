// Histories that break one rule of models and routes each: what the checks of boxes with several models must complain of.

import { NO_USAGE } from "../../src/core/limits.ts";
import type { BoxHistory } from "./box-history.ts";

export interface BoxBreach {
  /** The check that must complain. */
  readonly check: string;
  readonly what: string;
  readonly forge: (history: BoxHistory) => unknown;
}

function breach(check: string, what: string, forge: BoxBreach["forge"]): BoxBreach {
  return { check, what, forge };
}

const CLOUD = { provider: "cloud", model: "big", backend: "cloud" };
const IN_CLOUD = { backend: "cloud", model: "big", contextTokens: null } as const;
const AWAY = { from: "gpu/child", to: "cloud/big" } as const;
const BACK = { from: "cloud/big", to: "gpu/child" } as const;

const OF_MODELS: readonly BoxBreach[] = [
  breach("one load at a time", "two loads", (h) => h.move("load").move("load", { model: "parent" })),
  breach("models are moved at command", "a load that nobody asked for", (h) => h.move("load")),
  breach("models are moved at command", "a load again after it failed", (h) =>
    h.commanded("load").reported("absent").move("load"),
  ),
  breach("turns wait for their model", "a lease on what was never loaded", (h) => h.spawn("a").leased("a")),
  breach("turns wait for their model", "a lease on what is to go", (h) =>
    h.spawn("a").reported("resident").leased("a", { isToGo: true }),
  ),
  breach("no turn pushes a model out", "a generation that makes the server swap", (h) =>
    h
      .spawn("a")
      .at({ isThere: false, inTheWay: ["b"] })
      .generation("a", "generation.began"),
  ),
  breach("a model in use stays", "an unload under a generation", (h) => h.move("unload", { inUse: ["a"] })),
  breach("one model, one set of options", "a turn with another context", (h) =>
    h.spawn("a").at({ contextTokens: 512 }).generation("a", "generation.began"),
  ),
  breach("one model, one set of options", "a load with another context", (h) =>
    h.move("load", { contextTokens: null }),
  ),
];

const OF_MEMORY: readonly BoxBreach[] = [
  breach("a turn runs where its lease is", "a generation on another model", (h) =>
    h.spawn("a").leased("a").at({ model: "parent" }).generation("a", "generation.began"),
  ),
  breach("the server's word wins", "a model that went", (h) => h.rest({ mistaken: ["child is resident"] })),
];

const OF_ROUTES: readonly BoxBreach[] = [
  breach("no change of model is silent", "a generation elsewhere", (h) =>
    h.spawn("a").at({ model: "parent" }).generation("a", "generation.began"),
  ),
  breach("no change of model is silent", "a change from where it never was", (h) =>
    h.spawn("a").reroute("a", { from: "gpu/parent", to: "gpu/child" }),
  ),
  breach("a route is no circle", "there and back", (h) =>
    h.spawn("a", { model: CLOUD }).reroute("a", BACK).reroute("a", AWAY),
  ),
  breach("a route is no circle", "a fourth change", (h) => {
    h.spawn("a");
    for (let at = 0; at < 4; at++) {
      const from = at === 0 ? "gpu/child" : `gpu/${at}`;
      h.reroute("a", { from, to: `gpu/${at + 1}` });
    }
    return h;
  }),
  breach("nothing crosses unasked", "a task that leaves this box", (h) => h.spawn("a").reroute("a", AWAY)),
  breach("nothing crosses unasked", "a task that begins in the cloud behind its local model", (h) =>
    h.spawn("a", { model: CLOUD }),
  ),
  breach("what is local stays local", "a generation in the cloud", (h) =>
    h.spawn("a").reroute("a", AWAY).at(IN_CLOUD).generation("a", "generation.began"),
  ),
  breach("the ceiling of a fallback holds", "a generation that the rest is not enough for", (h) => {
    h.spawn("a").reroute("a", AWAY).at(IN_CLOUD);
    h.commit("a", { usage: { ...NO_USAGE, outputTokens: 30, costMicros: 60 } });
    return h.reserving("a", { costMicros: 41 });
  }),
  breach("the ceiling of a fallback holds", "more than it may by far", (h) =>
    h
      .spawn("a")
      .reroute("a", AWAY)
      .commit("a", { usage: { ...NO_USAGE, costMicros: 9_000 } })
      .rest(),
  ),
  breach("stepping up happens once", "where nobody asked for it", (h) =>
    h.spawn("a").reroute("a", { from: "gpu/child", to: "gpu/parent", code: "empty_answer" }),
  ),
];

export const BOX_BREACHES: readonly BoxBreach[] = [...OF_MODELS, ...OF_MEMORY, ...OF_ROUTES];

/** A load, a generation, a change to the other local model and a swap, as they should be. */
export function goWellInBox(history: BoxHistory): void {
  const moved = (what: "load" | "unload", model: string) =>
    ({ kind: "move.ended", life: 0, backend: "gpu", what, model, contextTokens: null, inUse: [] }) as const;
  history.spawn("a").commanded("load").move("load").tell(moved("load", "child")).reported("resident");
  history.leased("a").generation("a", "generation.began").generation("a", "generation.ended");
  history.reroute("a", { from: "gpu/child", to: "gpu/parent" });
  history.commanded("unload").move("unload").tell(moved("unload", "child")).reported("absent");
  history.commanded("load", "parent").move("load", { model: "parent" }).tell(moved("load", "parent"));
  history.reported("resident", "parent").leased("a", { model: "parent" });
  history.at({ model: "parent", isThere: false }).generation("a", "generation.began");
  history.generation("a", "generation.ended").end("a").rest();
}
