// The store as one incarnation sees it: every call may be slow, refused before it is made, or made and its answer lost;
// a crash may strike before or after it, and whoever has died neither calls nor hears.
// W1. What reaches the medium does so in one step, and the witness is told in the same step.
// W2. Of the calls that a crash overtakes on their way, the first few by their order are made, and the rest are not.

import { delay } from "../../src/base/clock.ts";
import { StoreError } from "../../src/base/errors.ts";
import type { Store } from "../../src/store/store.ts";
import type { WorldClock } from "./clock.ts";
import type { Dice } from "./dice.ts";
import { never, type Life } from "./life.ts";
import type { StoreWitness } from "./store-witness.ts";
import type { StoreFaults } from "./world.ts";

type Method = (...args: unknown[]) => Promise<unknown>;

const WRITES = new Set(["submit", "submitAll", "commit", "send", "markReleased", "markRead", "claim"]);

const LATEST_WAKE_MS = 500;

export interface MortalStoreOptions {
  readonly inner: Store;
  /** The world's: the way to the store is no timer of the server. */
  readonly clock: WorldClock;
  readonly life: Life;
  readonly dice: Dice;
  readonly faults: StoreFaults;
  /** Whether faults are over. */
  readonly isCalm: () => boolean;
  readonly witness: StoreWitness;
}

/** A call that is on its way to the medium. */
interface Travelling {
  readonly name: string;
  readonly args: unknown[];
}

export class MortalStore {
  readonly #options: MortalStoreOptions;
  readonly #travelling = new Set<Travelling>();
  #owner: string | null = null;
  readonly store: Store;

  constructor(options: MortalStoreOptions) {
    this.#options = options;
    const { inner } = options;
    this.store = new Proxy(inner, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        if (name === "onWrite") return (wake: Parameters<Store["onWrite"]>[0]) => this.#onWrite(wake);
        return (...args: unknown[]) => this.#call(String(name), args);
      },
    });
  }

  /** Who this incarnation is to the store; `null` before its first claim. */
  get owner(): string | null {
    return this.#owner;
  }

  /** The crash: of what is on its way the first few arrive (W2). The rest may come late; see `takeLate`. */
  crash(): readonly { readonly name: string; readonly args: unknown[] }[] {
    const waiting = [...this.#travelling];
    this.#travelling.clear();
    const arriving = waiting.length === 0 ? 0 : this.#options.dice.between(0, waiting.length);
    for (const { name, args } of waiting.slice(0, arriving)) void this.#apply(name, args).catch(() => {});
    return waiting.slice(arriving);
  }

  async #call(name: string, args: unknown[]): Promise<unknown> {
    const { life, witness } = this.#options;
    if (life.point("store before")) return never();
    this.#noteOwner(name, args);
    await this.#travel(name, args);
    if (life.dead) return never();
    this.#failBefore(name);
    const answer = await this.#apply(name, args);
    if (life.point("store after")) return never();
    this.#failAfter(name, args);
    await this.#comeBack();
    if (life.dead) return never();
    witness.answered(life.number, name, args);
    return answer;
  }

  #apply(name: string, args: unknown[]): Promise<unknown> {
    const { inner, life, witness } = this.#options;
    const answer = (Reflect.get(inner, name, inner) as Method).apply(inner, args);
    return witness.watch(answer, { life: life.number, name, args });
  }

  /** On the way there; nothing is awaited where nothing takes time, as in the store itself. */
  #travel(name: string, args: unknown[]): Promise<void> | undefined {
    const { clock, dice, faults, life } = this.#options;
    if (faults.mostMs === 0) return undefined;
    const travelling = { name, args };
    this.#travelling.add(travelling);
    return delay(clock, dice.between(0, faults.mostMs)).then(() => {
      if (!life.dead) this.#travelling.delete(travelling);
    });
  }

  #comeBack(): Promise<void> | undefined {
    const { clock, dice, faults } = this.#options;
    return faults.mostMs === 0 ? undefined : delay(clock, dice.between(0, faults.mostMs));
  }

  #failBefore(name: string): void {
    const { clock, dice, faults, isCalm, witness } = this.#options;
    if (isCalm()) return;
    const now = clock.monotonic();
    if (WRITES.has(name) && faults.full.some(({ fromMs, toMs }) => now >= fromMs && now < toMs)) {
      witness.hindered(name, "full");
      throw new StoreError("full", "The disk is full.");
    }
    const isAway = faults.away !== null && now >= faults.away.fromMs && now < faults.away.toMs;
    if (!isAway && !dice.chance(faults.lossy)) return;
    witness.hindered(name, isAway ? "away" : "busy");
    throw new StoreError("busy", "The store is busy.");
  }

  #failAfter(name: string, args: unknown[]): void {
    const { dice, faults, isCalm, witness } = this.#options;
    if (isCalm() || !dice.chance(faults.lossy) || !mayLoseAnswer(name, args)) return;
    witness.hindered(name, "answer lost");
    throw new StoreError("busy", "The answer of the store was lost.");
  }

  #noteOwner(name: string, args: unknown[]): void {
    if (name === "claim") this.#owner = (args[0] as { owner: string }).owner;
    if (name === "heartbeat" || name === "release") this.#owner = args[0] as string;
  }

  /** Wakes are hints only: some come late, some twice. */
  #onWrite(wake: Parameters<Store["onWrite"]>[0]): () => void {
    const { inner, clock, life, dice, faults } = this.#options;
    return inner.onWrite((events) => {
      if (life.dead) return;
      if (dice.chance(faults.badWakes)) {
        clock.after(dice.between(0, LATEST_WAKE_MS), () => {
          if (!life.dead) wake(events);
        });
      } else wake(events);
      if (dice.chance(faults.badWakes)) wake(events);
    });
  }
}

/** An owner can ask again for a claim whose answer was lost only where it names its requests. */
function mayLoseAnswer(name: string, args: unknown[]): boolean {
  return name !== "claim" || (args[0] as { request?: string }).request !== undefined;
}
