// Who owns which task, in memory for every store of one process. Nothing is scanned: each box has a queue of what may
// be claimed, and expiries lie in a heap.
//
// C1. A task lies in its box's queue at most once; what is found there and is not free any more is passed over.
// C2. An expired claim is free to be taken, not dead: until somebody takes it, its owner may renew it and write.
// C3. A holding is dated at or after its entry in the heap, since a renewal never shortens it.

import type { Clock } from "../base/clock.ts";
import { Fifo, MinHeap } from "./memory-fifo.ts";

/** A claim as it stands: who may write, and until when others must leave the task alone. */
export interface Holding {
  readonly owner: string;
  /** Monotonic milliseconds; renewals move it forward. */
  expiresAt: number;
  /** It was found expired: the heap of expiries has no entry for it. */
  swept: boolean;
}

/** What a store keeps of a task for claims; only this file writes `holding` and `ready`. */
export interface Claimable {
  readonly id: string;
  /** Submission number, from 1. */
  readonly order: number;
  readonly boxId: string;
  readonly ended: boolean;
  holding: Holding | null;
  /** Whether the queue of claimable tasks holds it. */
  ready: boolean;
}

/** What may be claimed on one box, oldest submission first. */
class ReadyQueue<T extends Claimable> {
  // Fresh tasks come in order and cost nothing to order; only those that were given back need the heap. Whatever
  // was given back had been taken before the fresh ones that are left, so it is older than all of them.
  readonly #fresh = new Fifo<T>();
  readonly #returned = new MinHeap<T>((task) => task.order);

  add(task: T): void {
    this.#fresh.push(task);
  }

  giveBack(task: T): void {
    this.#returned.push(task);
  }

  next(): T | undefined {
    const returned = this.#returned.pop();
    if (returned !== undefined || this.#fresh.length === 0) return returned;
    return this.#fresh.shift();
  }
}

interface Expiry<T> {
  readonly at: number;
  readonly task: T;
  readonly holding: Holding;
}

interface Owner<T> {
  readonly held: Set<T>;
  /** Taken over by others since the owner last asked. */
  lost: string[];
}

export interface TakeOptions {
  readonly owner: string;
  readonly boxId: string;
  readonly ttlMs: number;
  readonly max: number;
}

/** Ownership of the tasks of one store. Time is monotonic, so that a jump of the wall clock ends no claim. */
export class Claims<T extends Claimable> {
  readonly #clock: Clock;
  readonly #ready = new Map<string, ReadyQueue<T>>();
  readonly #expiries = new MinHeap<Expiry<T>>((expiry) => expiry.at);
  readonly #owners = new Map<string, Owner<T>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A task that was just submitted may be claimed. */
  add(task: T): void {
    task.ready = true;
    this.#queueOf(task.boxId).add(task);
  }

  /** Gives the owner up to `max` free tasks of the box. */
  take(options: TakeOptions): readonly T[] {
    return this.tryTake(options).taken;
  }

  /**
   * The same for a store that has yet to write it.
   * Contract: a task that `fits` says no to is passed over, and not looked at again. `undo` puts everything back as it
   * was; for as long as nothing was asked of these claims since, but for later takes that were undone before. Throws
   * what `fits` throws, when everything is as it was.
   */
  tryTake(
    options: TakeOptions,
    fits: (task: T) => boolean = () => true,
  ): { readonly taken: readonly T[]; readonly undo: () => void } {
    const now = this.#clock.monotonic();
    this.#sweep(now);
    const taken: T[] = [];
    const before: (Holding | null)[] = [];
    const passed: T[] = [];
    const queue = this.#queueOf(options.boxId);
    const undo = (): void => {
      for (const [at, task] of taken.entries()) this.#takeBack(task, before[at] ?? null);
      for (const task of passed) this.#makeReady(task);
    };
    const fitsOrUndo = (task: T): boolean => {
      try {
        return fits(task);
      } catch (thrown) {
        passed.push(task);
        undo();
        throw thrown;
      }
    };
    while (taken.length < options.max) {
      const task = queue.next();
      if (task === undefined) break;
      task.ready = false;
      const free = task.holding === null || task.holding.expiresAt <= now;
      if (task.ended || !free) continue;
      if (!fitsOrUndo(task)) {
        passed.push(task);
        continue;
      }
      before.push(task.holding);
      this.#give(task, { owner: options.owner, expiresAt: now + options.ttlMs, swept: false });
      taken.push(task);
    }
    return { taken, undo };
  }

  /** Renews what the owner holds (C2, C3); returns what it lost since it last asked. */
  renew(owner: string, ttlMs: number): readonly string[] {
    const known = this.#owners.get(owner);
    if (known === undefined) return [];
    const until = this.#clock.monotonic() + ttlMs;
    for (const task of known.held) {
      const holding = task.holding as Holding;
      holding.expiresAt = Math.max(holding.expiresAt, until);
      if (holding.swept) this.#watch(task, holding);
    }
    const { lost } = known;
    known.lost = [];
    return lost;
  }

  /** Gives back everything that the owner holds. */
  release(owner: string): readonly string[] {
    const held = [...(this.#owners.get(owner)?.held ?? [])];
    this.#owners.delete(owner);
    for (const task of held) {
      task.holding = null;
      this.#makeReady(task);
    }
    return held.map((task) => task.id);
  }

  /** The task has ended: nobody owns it any more. */
  end(task: T): void {
    if (task.holding !== null) this.#owners.get(task.holding.owner)?.held.delete(task);
    task.holding = null;
  }

  #give(task: T, holding: Holding): void {
    const before = task.holding?.owner;
    if (before !== undefined) {
      const loser = this.#owners.get(before);
      loser?.held.delete(task);
      if (before !== holding.owner) loser?.lost.push(task.id);
    }
    task.holding = holding;
    const owner: Owner<T> = this.#owners.get(holding.owner) ?? { held: new Set(), lost: [] };
    this.#owners.set(holding.owner, owner);
    owner.held.add(task);
    this.#watch(task, holding);
  }

  /** Undoes `#give`: what was free before is free again. */
  #takeBack(task: T, before: Holding | null): void {
    this.#owners.get(task.holding?.owner ?? "")?.held.delete(task);
    const holder = before === null ? undefined : this.#owners.get(before.owner);
    if (before !== null && before.owner !== task.holding?.owner) {
      const at = holder?.lost.lastIndexOf(task.id) ?? -1;
      if (at >= 0) holder?.lost.splice(at, 1);
    }
    task.holding = before;
    holder?.held.add(task);
    this.#makeReady(task);
  }

  #watch(task: T, holding: Holding): void {
    holding.swept = false;
    this.#expiries.push({ at: holding.expiresAt, task, holding });
  }

  /** Makes ready what has expired. A renewed holding goes back into the heap, once per time to live. */
  #sweep(now: number): void {
    for (
      let next = this.#expiries.peek();
      next !== undefined && next.at <= now;
      next = this.#expiries.peek()
    ) {
      this.#expiries.pop();
      const { task, holding } = next;
      if (task.holding !== holding) continue;
      if (holding.expiresAt > now) {
        this.#watch(task, holding);
      } else {
        holding.swept = true;
        this.#makeReady(task);
      }
    }
  }

  /** Keeps C1. */
  #makeReady(task: T): void {
    if (task.ready) return;
    task.ready = true;
    this.#queueOf(task.boxId).giveBack(task);
  }

  #queueOf(boxId: string): ReadyQueue<T> {
    const known = this.#ready.get(boxId);
    if (known !== undefined) return known;
    const queue = new ReadyQueue<T>();
    this.#ready.set(boxId, queue);
    return queue;
  }
}
