// A box that dies without a word and is started again on the same store: what was on its way to the store never
// arrives, its timers never fire, and nobody who waits for it is ever answered.

import { SimulatedClock, type Clock, type Timer } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import type { TaskRecord } from "../../src/core/task.ts";
import { callsOf, textOf, type Message } from "../../src/core/message.ts";
import type { Recovery } from "../../src/runtime/resuming.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { ROOMY } from "./conversation.ts";
import { rigOn, type Rig, type RigOptions } from "./rig.ts";
import { wrappedStore } from "./wrapped-store.ts";

/** A clock that stops with whoever lives by it. */
class MortalClock implements Clock {
  readonly #inner: Clock;
  dead = false;

  constructor(inner: Clock) {
    this.#inner = inner;
  }

  now(): number {
    return this.#inner.now();
  }

  monotonic(): number {
    return this.#inner.monotonic();
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#inner.after(delayMs, () => {
      if (!this.dead) callback();
    });
  }
}

interface Life {
  readonly clock: MortalClock;
  readonly rig: Rig<Clock>;
  owner: string | null;
}

const never = (): Promise<never> => new Promise(() => {});

export class RestartingBox {
  readonly clock = new SimulatedClock();
  readonly store = new MemoryStore({ clock: this.clock, random: seededRandom(99) });
  readonly #options: RigOptions;
  #lives = 0;
  #life: Life;

  constructor(options: RigOptions) {
    this.#options = { ...options, settings: { backends: ROOMY, ...options.settings } };
    this.#life = this.#begin(this.#options);
  }

  get rig(): Rig<Clock> {
    return this.#life.rig;
  }

  get api(): Rig["api"] {
    return this.#life.rig.api;
  }

  /** Dies in this moment, inside a call of the store too: what was written is there, and nobody hears of it. */
  die(): void {
    this.#life.clock.dead = true;
  }

  /** Dies at once, and stays dead for a while. */
  async crash(deadMs = 1_000): Promise<void> {
    this.die();
    await this.clock.advance(deadMs);
  }

  /** Starts again, with other options where they are given. */
  async start(options: Partial<RigOptions> = {}): Promise<Recovery> {
    // A file store proves by its lock that the owner before is dead.
    if (this.#life.owner) await this.store.release(this.#life.owner);
    this.#life = this.#begin({ ...this.#options, ...options });
    const recovering = this.#life.rig.runtime.recover();
    await this.clock.advance(1);
    return recovering;
  }

  /** Both, and time for what goes on to go on. */
  async restart(options: Partial<RigOptions> = {}): Promise<Recovery> {
    await this.crash();
    return this.start(options);
  }

  async record(taskId: string): Promise<TaskRecord> {
    return (await this.store.get(taskId)) as TaskRecord;
  }

  /** The types of a task's events, in order. */
  async events(taskId: string): Promise<readonly string[]> {
    return (await this.store.events({ after: 0, taskId })).map((event) => event.type);
  }

  /** A task's conversation in short: `user goal dig`, `assistant → note`, `tool noted`. */
  async conversation(taskId: string): Promise<readonly string[]> {
    return (await this.store.transcript(taskId, {})).map((row) => inShort(row.message));
  }

  #begin(options: RigOptions): Life {
    const clock = new MortalClock(this.clock);
    const life: { owner: string | null } = { owner: null };
    this.#lives += 1;
    const rig = rigOn<Clock>(clock, {
      ...options,
      from: { store: this.store, random: seededRandom(this.#lives) },
      wrapStore: (store) =>
        wrappedStore(options.wrapStore?.(store, clock) ?? store, {
          before: (name, [first]) => {
            if (name === "claim") life.owner = (first as { owner: string }).owner;
            return clock.dead ? never() : undefined;
          },
          after: () => (clock.dead ? never() : undefined),
        }),
    });
    return Object.assign(life, { clock, rig });
  }
}

function inShort(message: Message): string {
  const calls = callsOf(message).map((call) => `→ ${call.name}`);
  const results = message.parts.flatMap((part) => (part.type === "tool_result" ? [part.text] : []));
  const words = [textOf(message), ...calls, ...results].filter((text) => text !== "").join(" ");
  return `${message.role} ${words}`;
}
