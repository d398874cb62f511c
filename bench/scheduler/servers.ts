// The model servers as Troupe's scheduler is told of them: a backend for each, the least busy one for each child, and
// whether a server is there yet. What the runtime does from the config and its watches is done here from the facts.

import type { BackendCaps, MoveTarget, Scheduler } from "../../src/scheduler/scheduler.ts";
import { modelFacts } from "./model-server.ts";
import type { StrategyWorld } from "./strategy.ts";

/** More than any workload has: what is measured is never a refusal. */
export const ROOM = 1_000_000;
const NAME = "ollama";

export type Caps = Pick<BackendCaps, "slots" | "maxChildren" | "autoSlots" | "autoChildren">;

/** Contract: a backend of `Servers`. */
export function serverOf(backend: string): number {
  return Number(backend.slice(NAME.length));
}

export class Servers {
  readonly #world: StrategyWorld;
  readonly #scheduler: Scheduler;
  readonly #isThere: boolean[];

  constructor(world: StrategyWorld, scheduler: Scheduler) {
    this.#world = world;
    this.#scheduler = scheduler;
    this.#isThere = world.facts.serversFromMs.map((fromMs) => fromMs === 0);
  }

  declare(caps: Caps): void {
    const { vramBytes, serversFromMs } = this.#world.facts;
    for (const at of serversFromMs.keys()) {
      const backend = { backend: nameOf(at), provider: NAME, gpu: `gpu${at}`, maxQueued: ROOM };
      this.#scheduler.setBackend({ ...caps, ...backend, residency: { vramBytes } });
    }
  }

  /** Says what is loaded; of a server that is not there yet, that nothing can be, until it is. */
  async look(): Promise<void> {
    const { server, facts, clock } = this.#world;
    for (const [at, fromMs] of facts.serversFromMs.entries()) {
      for (const { model, vramBytes } of await server.loaded(at))
        this.#scheduler.setResidency({ backend: nameOf(at), profile: model, state: "resident", vramBytes });
      if (fromMs === 0) continue;
      this.#sayAbsent(at, true);
      clock.after(fromMs, () => {
        this.#isThere[at] = true;
        this.#sayAbsent(at, false);
      });
    }
  }

  /** The least busy server, as the runtime chooses (src/runtime/routing.ts), and all of them for one that may go on. */
  placesFor(model: string, roams: boolean): MoveTarget {
    const { facts } = this.#world;
    const sizeBytes = modelFacts(facts, model).bytes;
    const lanes = Array.from(facts.serversFromMs.keys(), (at) => ({
      backend: nameOf(at),
      profile: model,
      sizeBytes,
    }));
    const [only] = lanes;
    if (only !== undefined && lanes.length === 1) return only;
    const busy = this.#isThere.map((isThere) => (isThere ? 0 : Infinity));
    for (const { backend, waiting, places, slots } of this.#scheduler.lanes())
      busy[serverOf(backend)] = (busy[serverOf(backend)] ?? 0) + (waiting.length + places.length) / slots;
    const least = lanes[busy.indexOf(Math.min(...busy))] as MoveTarget;
    return { ...least, ...(roams && { alternatives: lanes }) };
  }

  #sayAbsent(at: number, passing: boolean): void {
    const { models } = this.#world.facts;
    for (const { name } of models)
      this.#scheduler.setResidency({ backend: nameOf(at), profile: name, state: "absent", passing });
  }
}

function nameOf(server: number): string {
  return `${NAME}${server}`;
}
