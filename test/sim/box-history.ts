// A history made up by hand, as history.ts has it, of a box with two local models of which one has room, and a route to a
// cloud to which nobody may go.

import type { Residency } from "../../src/core/lifecycle.ts";
import type { Check } from "./check.ts";
import type { Move, Place } from "./facts.ts";
import { History, PLAIN } from "./history.ts";
import { profileOf } from "./model-book.ts";
import { CONTEXT_TOKENS } from "./settings.ts";
import type { World } from "./world.ts";

const BOXED: World = {
  ...PLAIN,
  box: {
    room: 1,
    isRoomKnown: true,
    loadMs: 0,
    keepMs: 300_000,
    routes: {
      children: ["gpu/child", "cloud/big"],
      sessions: null,
      fallbacks: ["cloud_to_local"],
      maxCostMicros: 100,
      maxWaitMs: null,
      escalate: false,
    },
    mishaps: [],
    poor: 0,
  },
};

export class BoxHistory extends History {
  constructor(checks: readonly Check[]) {
    super(checks, BOXED);
    this.at({ contextTokens: CONTEXT_TOKENS });
  }

  /** Generations go there from now on. */
  at(place: Partial<Place>): this {
    this.place = { ...this.place, ...place };
    return this;
  }

  /** Changes its model, with a word for it in the store. */
  reroute(id: string, data: { readonly from: string; readonly to: string; readonly code?: string }): this {
    const event = { type: "task.rerouted", data: { code: "network", reason: "", ...data } } as const;
    return this.commit(id, { events: [event] });
  }

  /** A server is asked to load the model, or to let it go. */
  move(what: Move["what"], rest: Partial<Move> = {}): this {
    const move = { what, model: "child", contextTokens: CONTEXT_TOKENS, inUse: [], ...rest };
    return this.tell({ kind: "move.began", life: 0, backend: "gpu", ...move });
  }

  commanded(what: Move["what"], model = "child"): this {
    return this.tell({ kind: "commanded", what, ...laneOf(model) });
  }

  reported(state: Residency, model = "child"): this {
    return this.tell({ kind: "reported", ...laneOf(model), state });
  }

  /** Is given a lease on the lane of a local model. */
  leased(id: string, { isToGo = false, model = "child" } = {}): this {
    return this.tell({ kind: "lease", taskId: id, held: true, lane: laneOf(model), isToGo });
  }
}

function laneOf(model: string): { readonly backend: string; readonly profile: string } {
  return { backend: "gpu", profile: profileOf("gpu", { model, contextTokens: CONTEXT_TOKENS }) };
}
