// What each parent has had of a lane: the GPU time of its children there as it was measured, so that parents are let in
// by that and not by count (ADR 0019). A child is charged the usual cost when it is let in, and what it really cost
// when that is known; so a parent cannot take every place before the first bill.
//
// F3. Fair: a child is let in only of a parent that has had least of those with a child waiting. So of two parents that
//     always had one waiting since both were there, neither has had more than CREDIT usual children and the children
//     that it had live at once above the other. A newcomer begins no higher: not behind work that none of those who
//     wait has had, of people or of parents that only went on.
// F4. Nobody starves: what a newcomer begins with rises with all work done, or with each child let in, so whoever is
//     owed least is overtaken by as much work as it is ahead, and no more.

import { figure } from "./adaptive-window.ts";
import type { Dues } from "./queue.ts";
import type { GenerationSample } from "./scheduler.ts";

/** How many usual children a parent may be behind, however long it asked for nothing. */
export const CREDIT_CHILDREN = 2;
/** Weight of the newest child's cost in the usual one. */
const NEWEST = 0.2;
/** Accounts of parents that have nobody here, above which those that owe nothing are closed. */
const CLOSED_MOST = 64;

interface Account {
  hadMs: number;
  /** Its children here that have not ended, and those of them that have not been let in. */
  children: number;
  waiting: number;
}

/** What one child was charged when it was let in (`null` before), and what it has cost. */
export interface Bill {
  prepaidMs: number | null;
  spentMs: number;
}

/** The accounts of one lane. Contract: never throws; only `open`ed children may be `close`d. */
export class Shares implements Dues {
  readonly #accounts = new Map<string, Account>();
  #active = 0;
  #fairMs = 0;
  /** The most that a parent had had when a child of it was let in. */
  #ledMs = 0;
  #usualMs = 0;

  get each(): number {
    return this.#usualMs;
  }

  of(parent: string): number {
    return this.#accounts.get(parent)?.hadMs ?? this.#startMs;
  }

  /** Keeps F3 and F4: what a newcomer begins with. */
  get #startMs(): number {
    return Math.min(this.#fairMs, this.#ledMs + CREDIT_CHILDREN * this.#usualMs);
  }

  /** A child of this parent waits to be let in here; of one that was let in before, nothing is charged. */
  open(parent: string, task: Bill): void {
    const account = this.#accounts.get(parent) ?? { hadMs: this.#startMs, children: 0, waiting: 0 };
    this.#accounts.set(parent, account);
    if (account.waiting === 0)
      account.hadMs = Math.max(account.hadMs, this.#startMs - CREDIT_CHILDREN * this.#usualMs);
    if (account.children === 0) this.#active++;
    account.children++;
    if (task.prepaidMs === null) account.waiting++;
  }

  /** It is here no more: what it was charged in advance and did not use is given back. */
  close(parent: string, { prepaidMs, spentMs }: Bill): void {
    const account = this.#accounts.get(parent);
    if (account === undefined) return;
    if (prepaidMs === null) account.waiting--;
    else account.hadMs -= Math.max(0, prepaidMs - spentMs);
    if (spentMs > 0) this.#learn(spentMs);
    account.children--;
    if (account.children > 0) return;
    this.#active--;
    if (this.#accounts.size > this.#active + CLOSED_MOST) this.#forget();
  }

  /** A child of this parent is let in: what it usually costs is charged in advance. */
  prepay(parent: string, task: Bill): void {
    const account = this.#accounts.get(parent);
    if (account === undefined || task.prepaidMs !== null) return;
    this.#ledMs = Math.max(this.#ledMs, account.hadMs);
    task.prepaidMs = this.#usualMs;
    account.hadMs += this.#usualMs;
    account.waiting--;
  }

  /** A generation of this parent's cost so much; `task` is its child, unless that has ended. */
  spend(parent: string, ms: number, task: Bill | null): void {
    const account = this.#accounts.get(parent);
    const before = task === null ? 0 : beyondPrepaid(task);
    if (task !== null) task.spentMs += ms;
    if (account !== undefined) account.hadMs += task === null ? ms : beyondPrepaid(task) - before;
    // Keeps F4: one part of the work for each parent that is here.
    this.#fairMs += ms / Math.max(1, this.#active);
  }

  #learn(ms: number): void {
    this.#usualMs = this.#usualMs === 0 ? ms : this.#usualMs + NEWEST * (ms - this.#usualMs);
  }

  #forget(): void {
    for (const [parent, { children, hadMs }] of this.#accounts) {
      if (children === 0 && hadMs <= this.#fairMs) this.#accounts.delete(parent);
    }
  }
}

function beyondPrepaid({ prepaidMs, spentMs }: Bill): number {
  return Math.max(0, spentMs - (prepaidMs ?? 0));
}

/** What a generation cost the GPU; where the server does not tell, how long it ran there. */
export function gpuMsOf(sample: GenerationSample): number {
  const { promptMs, outputMs, totalMs, waitMs, loadMs } = sample;
  const told = figure(promptMs) + figure(outputMs);
  return told > 0 ? told : Math.max(0, figure(totalMs) - figure(waitMs) - figure(loadMs));
}
