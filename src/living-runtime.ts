// The runtime that is there now. Another one takes its place when the model servers turn out to be others than it was
// made for: what it had is in the store, and the next one goes on with it, as after a restart.
//
// L1. One runtime at a time has the store's tasks: the next one is made when the one before has let go of them.
// L2. Nobody who asks while they change is refused: he waits for the next one.
// L3. What a person had paused stays so, also what he paused or let go on while they changed.

import type { Caller, CollectRequest, EventsQuery, TaskResult, TroupeApi } from "./core/api.ts";
import type { EventFrame } from "./core/event.ts";
import { isTerminal } from "./core/lifecycle.ts";
import type { Settings } from "./core/settings.ts";
import type { Recovered } from "./open-store.ts";
import { ADMITTING } from "./draining.ts";
import { OPERATOR, type Runtime } from "./runtime/runtime.ts";

export interface Change {
  readonly settings: Settings;
  /** How long what is under way may take to end first. */
  readonly graceMs: number;
}

export class LivingRuntime {
  readonly #make: (settings: Settings) => Runtime;
  #settings: Settings;
  #runtime: Runtime;
  /** While one ends and the next begins; nothing new is given to the one that ends. */
  #changing: Promise<void> | null = null;
  /** The one before cannot be asked any more. */
  #isGone = false;

  constructor(make: (settings: Settings) => Runtime, settings: Settings) {
    this.#make = make;
    this.#settings = settings;
    this.#runtime = make(settings);
  }

  get runtime(): Runtime {
    return this.#runtime;
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** The API of whichever runtime is there when it is called (L2). */
  as(caller: Caller): TroupeApi {
    const own: Partial<TroupeApi> = {
      events: (query) => this.#events(caller, query),
      collect: (taskId, request = {}) => this.#collect(caller, taskId, request),
    };
    return new Proxy(this.#runtime.as(caller), {
      get: (target, key) => {
        const value: unknown = Reflect.get(own, key) ?? Reflect.get(target, key);
        if (typeof value !== "function" || key in own) return value;
        return (...input: readonly unknown[]) => this.#call(caller, key, input);
      },
    });
  }

  /** Contract: throws what the store throws; one change at a time. */
  async change({ settings, graceMs }: Change): Promise<Recovered> {
    let ready = (): void => {};
    this.#changing = new Promise((done) => (ready = done));
    try {
      await this.#runtime.drain(graceMs);
      this.#isGone = true;
      await this.#runtime.close();
      // Nothing may come between: who was told that it is paused would be wrong (L3).
      const { paused } = this.#runtime;
      this.#runtime = this.#make(settings);
      if (paused) await this.#runtime.as(OPERATOR).pause(true);
      const found = await this.#runtime.recover();
      // Only now: a change that failed is one that is still to be made.
      this.#settings = settings;
      return found;
    } finally {
      this.#changing = null;
      this.#isGone = false;
      ready();
    }
  }

  async #call(caller: Caller, key: PropertyKey, input: readonly unknown[]): Promise<unknown> {
    if (ADMITTING.has(key)) await this.#changing;
    await this.#present();
    const api = this.#runtime.as(caller);
    const method = Reflect.get(api, key) as (...given: readonly unknown[]) => unknown;
    return method.apply(api, [...input]);
  }

  async #present(): Promise<void> {
    if (this.#isGone) await this.#changing;
  }

  async *#events(caller: Caller, query?: EventsQuery): AsyncGenerator<EventFrame> {
    await this.#present();
    yield* this.#runtime.as(caller).events(query);
  }

  /** Who waits for an end while the runtime changes goes on waiting. */
  async #collect(caller: Caller, taskId: string, request: CollectRequest): Promise<TaskResult> {
    for (;;) {
      await this.#present();
      const runtime = this.#runtime;
      const result = await runtime.as(caller).collect(taskId, request);
      const isSame = runtime === this.#runtime && !this.#isGone;
      if (isSame || request.timeoutMs !== undefined || isTerminal(result.state)) return result;
    }
  }
}
