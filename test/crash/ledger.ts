// What the client remembers of one house: everything that a server acknowledged or showed, and in which life it did.
// It outlives every kill; what it holds is what must be true after each of them.
//
// L1. Only answers make entries: a call without one leaves a wish, which may be made again and counts for nothing.

import type { CancelReceipt, DelegateRequest, SessionRequest, SteerReceipt } from "../../src/core/api.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { isTerminal, type State, type TerminalState } from "../../src/core/lifecycle.ts";
import type { Plan } from "./plan.ts";

/** A call that makes a task, repeatable by its key. */
export type Spawn =
  | { readonly kind: "task"; readonly request: DelegateRequest; readonly plan: Plan }
  | { readonly kind: "batch"; readonly requests: readonly DelegateRequest[] }
  | { readonly kind: "session"; readonly request: SessionRequest };

export interface Told {
  readonly taskId: string;
  readonly steerId: string;
  readonly text: string;
  readonly kind: "steer" | "message";
  readonly life: number;
}

export interface CalledOff {
  readonly taskId: string;
  readonly receipt: CancelReceipt;
  readonly life: number;
}

export interface Acknowledged {
  readonly taskId: string;
  readonly spawn: Spawn;
  /** Which task of a batch it is. */
  readonly at: number;
  readonly life: number;
}

/** What must be true of every look at a server that is begun later. */
export type Remembered = Pick<Ledger, "tasks" | "words" | "results" | "ends" | "shown">;

export class Ledger {
  readonly tasks = new Map<string, Acknowledged>();
  readonly words = new Map<string, Told>();
  readonly calledOff: CalledOff[] = [];
  /** Results as they came, by task. */
  readonly results = new Map<string, string>();
  readonly sessions = new Set<string>();
  readonly closed = new Set<string>();
  /** Whatever somebody asked to stop, whether an answer came or not. */
  readonly askedToStop = new Set<string>();
  /** The terminal states that were shown, by task. */
  readonly ends = new Map<string, TerminalState>();
  /** The highest sequence that was shown, by task. */
  readonly shown = new Map<string, number>();
  /** Tasks whose spawning was shown and whose end was not. */
  readonly living = new Set<string>();
  /** Generations by the plan that they were about, with the life in which they began. */
  readonly generations = new Map<string, number[]>();
  readonly #spawns: Spawn[] = [];
  readonly #byKey = new Map<string, string>();

  /** As it stands now: what is shown while somebody looks must not be asked of what was looked at. */
  remember(): Remembered {
    return {
      tasks: new Map(this.tasks),
      words: new Map(this.words),
      results: new Map(this.results),
      ends: new Map(this.ends),
      shown: new Map(this.shown),
    };
  }

  /** Calls that were made and never answered. */
  get wishes(): readonly Spawn[] {
    return this.#spawns;
  }

  wish(spawn: Spawn): void {
    this.#spawns.push(spawn);
  }

  drop(spawn: Spawn): void {
    const at = this.#spawns.indexOf(spawn);
    if (at >= 0) this.#spawns.splice(at, 1);
  }

  acknowledge(spawn: Spawn, taskIds: readonly string[], life: number): readonly string[] {
    this.drop(spawn);
    const others: string[] = [];
    taskIds.forEach((taskId, at) => {
      const key = keyOf(spawn, at);
      const known = this.#byKey.get(key);
      if (known !== undefined && known !== taskId) others.push(`${key} made ${known}, and now ${taskId}`);
      this.#byKey.set(key, known ?? taskId);
      if (!this.tasks.has(taskId)) this.tasks.set(taskId, { taskId, spawn, at, life });
      if (spawn.kind === "session") this.sessions.add(taskId);
    });
    return others;
  }

  tell(receipt: SteerReceipt, told: Pick<Told, "text" | "kind">, life: number): void {
    const { taskId, steerId } = receipt;
    if (!this.words.has(steerId)) this.words.set(steerId, { ...told, taskId, steerId, life });
  }

  callOff(receipt: CancelReceipt, life: number): void {
    this.calledOff.push({ taskId: receipt.taskId, receipt, life });
  }

  /** What is wrong with showing this event now; `null` when nothing is. */
  show(event: StoredEvent): string | null {
    const { taskId, seq, type, state } = event;
    const before = this.shown.get(taskId) ?? 0;
    if (seq !== before + 1) return `${taskId} shows event ${seq} (${type}) after ${before}`;
    this.shown.set(taskId, seq);
    if (!isTerminal(state)) {
      this.living.add(taskId);
      const end = this.ends.get(taskId);
      return end === undefined ? null : `${taskId} was ${end}, and is ${state} in event ${seq} (${type})`;
    }
    this.living.delete(taskId);
    return this.end(taskId, state, type);
  }

  /** Notes an end that was shown; what is wrong with it, if anything is. */
  end(taskId: string, state: State, where: string): string | null {
    if (!isTerminal(state)) return null;
    const known = this.ends.get(taskId);
    this.ends.set(taskId, known ?? state);
    return known === undefined || known === state
      ? null
      : `${taskId} was ${known}, and is ${state} (${where})`;
  }

  generated(name: string, life: number): void {
    const lives = this.generations.get(name);
    if (lives) lives.push(life);
    else this.generations.set(name, [life]);
  }
}

function keyOf(spawn: Spawn, at: number): string {
  const request = spawn.kind === "batch" ? spawn.requests[at] : spawn.request;
  return request?.idempotencyKey ?? "no key";
}
