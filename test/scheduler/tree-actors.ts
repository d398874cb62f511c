// Actors as a runtime has them, on a virtual clock: each takes a first turn, may delegate to children, parks while they
// run, resumes, takes a last turn and ends. A stopped generation is asked for again at the front.

import type { SchedulerSignal } from "../../src/scheduler/scheduler.ts";
import type { Witness } from "./witness.ts";

export interface Plan {
  /** How long each of its generations lasts. */
  readonly turnMs: number;
  /** Generations before it delegates. */
  readonly turns: number;
  readonly parentSlots: number;
  readonly children: readonly Plan[];
}

interface Actor {
  readonly taskId: string;
  readonly plan: Plan;
  readonly parent: Actor | null;
  turnsLeft: number;
  childrenLeft: number;
  delegated: boolean;
}

export function sizeOf(plan: Plan): number {
  return 1 + plan.children.reduce((sum, child) => sum + sizeOf(child), 0);
}

export class Forest {
  readonly #witness: Witness;
  readonly #actors = new Map<string, Actor>();
  #serial = 0;
  finished = 0;
  /** Generations that ran to their end. */
  generations = 0;

  constructor(witness: Witness) {
    this.#witness = witness;
    witness.onSignal = (signal) => this.#hear(signal);
  }

  plant(plan: Plan, parent: Actor | null = null): void {
    const taskId = `t${this.#serial++}`;
    const { turns } = plan;
    this.#actors.set(taskId, { taskId, plan, parent, turnsLeft: turns, childrenLeft: 0, delegated: false });
    this.#witness.admit({
      taskId,
      parentId: parent?.taskId ?? null,
      parentSlots: parent?.plan.parentSlots ?? 1,
      backend: "local",
      class: "background",
      needsPlace: true,
    });
  }

  #hear(signal: SchedulerSignal): void {
    if (signal.type === "admitted") return this.#witness.ask(signal.taskId, "background");
    if (signal.type === "preempt") {
      this.#witness.release(signal.taskId);
      return this.#witness.ask(signal.taskId, "background", true);
    }
    if (signal.type !== "granted") return;
    const actor = this.#actors.get(signal.lease.taskId);
    if (actor === undefined) return;
    const { leaseId } = signal.lease;
    this.#witness.clock.after(actor.plan.turnMs, () => {
      if (this.#witness.tasks.get(actor.taskId)?.lease?.leaseId === leaseId) this.#generated(actor);
    });
  }

  #generated(actor: Actor): void {
    const { plan, taskId } = actor;
    this.generations++;
    this.#witness.release(taskId);
    actor.turnsLeft--;
    if (actor.turnsLeft > 0) return this.#witness.ask(taskId, "background");
    if (actor.delegated || plan.children.length === 0) return this.#end(actor);
    actor.delegated = true;
    actor.childrenLeft = plan.children.length;
    for (const child of plan.children) this.plant(child, actor);
    this.#witness.park(taskId);
  }

  #end(actor: Actor): void {
    this.#witness.end(actor.taskId);
    this.#actors.delete(actor.taskId);
    this.finished++;
    const { parent } = actor;
    if (parent === null) return;
    parent.childrenLeft--;
    if (parent.childrenLeft > 0) return;
    parent.turnsLeft = 1;
    this.#witness.ask(parent.taskId, "resuming", true);
  }
}
