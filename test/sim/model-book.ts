// What the witness knows of models: where each task generates and what that has cost in clouds, what the scheduler was
// told of each profile and has commanded, and which loads are under way.

import type { EventData } from "../../src/core/event.ts";
import { profileKey, taggedModel } from "../../src/core/load-profile.ts";
import type { Fallback } from "../../src/core/routing.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import type { ResidencyReport } from "../../src/scheduler/scheduler.ts";
import type { Fact, FactOf, Move } from "./facts.ts";
import { routingOf } from "./settings.ts";
import type { World } from "./world.ts";

export const POOR_ANSWERS: ReadonlySet<string> = new Set(["empty_answer", "tool_loop"]);

/** The models of one task, as `provider/model`. */
export interface Way {
  readonly began: string;
  at: string;
  readonly visited: Set<string>;
  changes: number;
  /** Changes for an outage, which are not bounded. */
  outages: number;
  /** Changes for a poor answer. */
  stepsUp: number;
  /** What it has cost, and the part of it that clouds took that it had changed to. */
  costMicros: number;
  cloudMicros: number;
}

export interface RoutingNow {
  readonly fallback: Fallback;
  readonly maxCostMicros: number | null;
  readonly escalate: boolean;
}

export class ModelBook {
  readonly ways = new Map<string, Way>();
  /** What the scheduler was told last, by backend and profile. */
  readonly told = new Map<string, ResidencyReport>();
  /** What it has commanded and was not answered, by backend and profile. */
  readonly commanded = new Map<string, Move["what"]>();
  /** The lane of the lease that each task holds, or held last. */
  readonly leases = new Map<string, string>();
  /** Loads and unloads that a server was asked for, by backend. */
  readonly moves = new Map<string, string[]>();
  readonly #world: World;
  #life = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** What is allowed in the life that lives; `null` in a world without routes. */
  get routing(): RoutingNow | null {
    const routes = this.#world.box?.routes ?? null;
    return routes && { ...routingOf(routes, this.#life), escalate: routes.escalate };
  }

  note(fact: Fact): void {
    switch (fact.kind) {
      case "life.began":
        this.#life = fact.life;
        return;
      case "life.ended":
        for (const each of [this.told, this.commanded, this.moves, this.leases]) each.clear();
        return;
      case "submitted":
        return this.#submitted(fact);
      case "committed":
        return this.#committed(fact);
      case "lease":
        if (fact.held && fact.lane) this.leases.set(fact.taskId, laneKey(fact.lane));
        return;
      case "commanded":
        this.commanded.set(laneKey(fact), fact.what);
        return;
      case "reported":
        return this.#reported(fact);
      case "move.began":
        this.moves.set(fact.backend, [...this.under(fact.backend), fact.model]);
        return;
      case "move.ended":
        return this.#moved(fact);
      default:
    }
  }

  /** Whether the models of this backend are loaded at our command. */
  isManaged(backend: string): boolean {
    return backend === "gpu" && (this.#world.box?.room ?? null) !== null;
  }

  /** The model that a new task is meant for first. */
  firstOf({ kind, agent, model }: TaskSpec): string {
    const routes = this.#world.box?.routes ?? null;
    const route = kind === "session" ? routes?.sessions : agent.name === "child" ? routes?.children : null;
    return route?.[0] ?? `${model.provider}/${model.model}`;
  }

  /** Models that a server was asked to load or to let go, and has not answered for. */
  under(backend: string): readonly string[] {
    return this.moves.get(backend) ?? [];
  }

  /** Whether turns of a profile there begin although it is absent, to learn why. */
  isPassing(backend: string): boolean {
    return [...this.told.values()].some((each) => each.backend === backend && each.passing === true);
  }

  #submitted({ spec, created }: FactOf<"submitted">): void {
    const began = `${spec.model.provider}/${spec.model.model}`;
    if (!created) return;
    const visited = new Set([began]);
    const nothing = { changes: 0, outages: 0, stepsUp: 0, costMicros: 0, cloudMicros: 0 };
    this.ways.set(spec.id, { began, at: began, visited, ...nothing });
  }

  #committed({ taskId, write }: FactOf<"committed">): void {
    const way = this.ways.get(taskId);
    if (!way) return;
    if (write.usage) {
      // What is written with a change of model was used before it.
      if (isCloud(way.at) && way.changes > 0) way.cloudMicros += write.usage.costMicros - way.costMicros;
      way.costMicros = write.usage.costMicros;
    }
    for (const { type, data } of write.events ?? []) {
      if (type !== "task.rerouted") continue;
      way.at = data.to;
      visit(way.visited, data);
      way.changes++;
      if (data.code === OUTAGE) way.outages++;
      if (POOR_ANSWERS.has(data.code)) way.stepsUp++;
    }
  }

  #reported(report: FactOf<"reported">): void {
    this.told.set(laneKey(report), report);
    if (report.state === "absent" || report.state === "resident") this.commanded.delete(laneKey(report));
  }

  #moved({ backend, model }: FactOf<"move.ended">): void {
    const left = [...this.under(backend)];
    left.splice(left.indexOf(model), 1);
    this.moves.set(backend, left);
  }
}

/** The code of a change that counts for nothing: there are as many as there are outages. */
export const OUTAGE = "server_away";

/** What was left for its queue or its outage alone has failed nobody: a later failure may lead back to it. */
export function visit(visited: Set<string>, { from, to, code }: EventData["task.rerouted"]): void {
  if (code === "long_queue" || code === OUTAGE) visited.delete(from);
  visited.add(to);
}

export function isCloud(place: string): boolean {
  return place.startsWith("cloud/");
}

/** The profile of a model with this context. */
export function profileOf(
  backend: string,
  { model, contextTokens }: { readonly model: string; readonly contextTokens: number | null },
): string {
  const runner = contextTokens === null ? {} : { contextTokens };
  return profileKey({ backend, model: taggedModel(model), runner });
}

export function laneKey({
  backend,
  profile,
}: {
  readonly backend: string;
  readonly profile: string;
}): string {
  return `${backend} ${profile}`;
}
