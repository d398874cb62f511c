// The general seeded generator: a workload and a seed become a plan, which says of every task what it will ask for and
// when. A plan knows no strategy, so every contender gets the very same work.
//
// P1. The same workload and seed give the same plan; parents, questions and cancels draw from streams of their own.
// P2. No prompt with its output is longer than its model's context: a task whose transcript would be ends before.

import { seededRandom, type Random } from "../../src/base/ids.ts";
import { draw, drawCount } from "./distribution.ts";
import type { Workload, WorkloadModel } from "./workload.ts";

export interface PlannedTurn {
  /** Tokens of the prompt that no turn of this conversation had before. */
  readonly newTokens: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** What follows before the next turn: a tool, or children that are awaited. */
  readonly toolMs: number;
  readonly children: readonly PlannedTask[];
}

export interface PlannedTask {
  readonly id: string;
  /** The task or root that awaits it. */
  readonly parentId: string;
  readonly rootId: string;
  /** 1 is a child of a root. */
  readonly depth: number;
  readonly model: string;
  readonly sharedTokens: number;
  readonly turns: readonly [PlannedTurn, ...PlannedTurn[]];
  /** Milliseconds from its spawn to its cancel from outside; `null` for never. */
  readonly cancelAfterMs: number | null;
}

export interface PlannedParent {
  readonly id: string;
  readonly atMs: number;
  readonly children: readonly PlannedTask[];
}

/** A person's own question: one turn. */
export interface PlannedQuestion {
  readonly id: string;
  readonly atMs: number;
  readonly model: string;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

export interface Plan {
  readonly workload: Workload;
  readonly seed: number;
  readonly parents: readonly PlannedParent[];
  readonly questions: readonly PlannedQuestion[];
}

const STREAMS = { parents: 0x2545f491, questions: 0x51ed270b, cancels: 0x6a09e667 } as const;

/** Draws the plan (P1). */
export function planOf(workload: Workload, seed: number): Plan {
  const drafter = new Drafter(workload, seed);
  return { workload, seed, parents: drafter.parents(), questions: drafter.questions() };
}

/** All tasks of a plan, a task before the ones below it. */
export function tasksOf(plan: Plan): readonly PlannedTask[] {
  const found: PlannedTask[] = [];
  const visit = (task: PlannedTask): void => {
    found.push(task);
    for (const turn of task.turns) turn.children.forEach(visit);
  };
  for (const parent of plan.parents) parent.children.forEach(visit);
  return found;
}

class Drafter {
  readonly #workload: Workload;
  readonly #random: Random;
  readonly #cancels: Random;
  readonly #people: Random;
  #serial = 0;

  constructor(workload: Workload, seed: number) {
    this.#workload = workload;
    const stream = (salt: number): Random => seededRandom((Math.imul(seed + 1, 0x9e3779b1) ^ salt) >>> 0);
    this.#random = stream(STREAMS.parents);
    this.#cancels = stream(STREAMS.cancels);
    this.#people = stream(STREAMS.questions);
  }

  parents(): readonly PlannedParent[] {
    const { parents } = this.#workload;
    let atMs = 0;
    return Array.from({ length: parents.count }, (_, at) => {
      if (at > 0) atMs += this.#gapMs();
      const id = `parent-${at + 1}`;
      const many = drawCount(parents.children, this.#random);
      const children = Array.from({ length: many }, () => this.#task({ parentId: id, rootId: id, depth: 1 }));
      return { id, atMs, children };
    });
  }

  questions(): readonly PlannedQuestion[] {
    const { interactive } = this.#workload;
    if (interactive === undefined) return [];
    const found: PlannedQuestion[] = [];
    const next = (): number => exponentialMs(interactive.per_minute, this.#people);
    for (let atMs = next(); atMs < interactive.for_s * 1_000; atMs += next()) {
      const model = interactive.model ?? this.#modelFor(this.#people).name;
      const promptTokens = drawCount(interactive.prompt_tokens, this.#people);
      const outputTokens = drawCount(interactive.output_tokens, this.#people);
      found.push({ id: `question-${found.length + 1}`, atMs, model, promptTokens, outputTokens });
    }
    return found;
  }

  #gapMs(): number {
    const { arrivals } = this.#workload.parents;
    if (arrivals === "at_once") return 0;
    if ("staggered" in arrivals) return arrivals.staggered.every_s * 1_000;
    return exponentialMs(arrivals.poisson.per_minute, this.#random);
  }

  #task(place: Pick<PlannedTask, "parentId" | "rootId" | "depth">): PlannedTask {
    const { children, cancel, nesting } = this.#workload;
    const random = this.#random;
    const id = `task-${++this.#serial}`;
    const model = this.#modelFor(random);
    const cancelled = cancel !== undefined && this.#cancels.next() < cancel.share;
    const cancelAfterMs = cancelled ? draw(cancel.after_s, this.#cancels) * 1_000 : null;
    const delegates = place.depth < nesting.depth && random.next() < nesting.share;
    const turns = this.#turns(model, delegates);
    const sharedTokens = Math.min(children.shared_tokens, turns[0].promptTokens);
    if (!delegates) return { ...place, id, model: model.name, sharedTokens, turns, cancelAfterMs };
    // It delegates in the middle of its work, and goes on with what came back.
    const at = Math.max(0, Math.ceil(turns.length / 2) - 1);
    const below = { parentId: id, rootId: place.rootId, depth: place.depth + 1 };
    const spawned = Array.from({ length: drawCount(nesting.children, random) }, () => this.#task(below));
    const nested = turns.map((turn, index) =>
      index === at ? { ...turn, toolMs: 0, children: spawned } : turn,
    );
    return { ...place, id, model: model.name, sharedTokens, turns: nested as [PlannedTurn], cancelAfterMs };
  }

  /** Keeps P2. Who delegates has a turn before its children and one after them, where the context has room. */
  #turns(model: WorkloadModel, delegates: boolean): readonly [PlannedTurn, ...PlannedTurn[]] {
    const { children } = this.#workload;
    const random = this.#random;
    const wanted = drawCount(children.turns, random, delegates ? 2 : 1);
    const turns: PlannedTurn[] = [];
    let before = 0;
    for (let at = 0; at < wanted; at += 1) {
      const adds = drawCount(at === 0 ? children.start_tokens : children.tokens_per_turn, random);
      const writes = drawCount(children.output_tokens, random);
      const toolMs = at === wanted - 1 ? 0 : draw(children.tool_s, random) * 1_000;
      const room = model.context_tokens - before;
      if (at > 0 && adds + writes > room) break;
      const outputTokens = Math.min(writes, Math.max(1, Math.floor(room / 2)));
      const newTokens = Math.min(adds, room - outputTokens);
      turns.push({ newTokens, promptTokens: before + newTokens, outputTokens, toolMs, children: [] });
      before += newTokens + outputTokens;
    }
    const last = turns.at(-1) as PlannedTurn;
    return [...turns.slice(0, -1), { ...last, toolMs: 0 }] as unknown as [PlannedTurn];
  }

  #modelFor(random: Random): WorkloadModel {
    const { models } = this.#workload;
    let left = random.next() * models.reduce((sum, model) => sum + model.share, 0);
    for (const model of models) {
      left -= model.share;
      if (left < 0) return model;
    }
    return models.findLast((model) => model.share > 0) as WorkloadModel;
  }
}

function exponentialMs(perMinute: number, random: Random): number {
  return (-Math.log(1 - random.next()) * 60_000) / perMinute;
}
