// The models in memory: who uses them, how long they stay, and how they go. Follows Ollama: a model that is to go for
// another one still takes requests, so that a steady stream of them keeps it for ever (the starvation), and where the
// config says so a request with a `keep_alive` revives it (the deadlock).
//
// Z1. A runner goes only when nobody uses it, or with the whole server.
// Z2. A runner that is gone has no timer, and whoever waits for an unload hears of every one.

import { delay, type Clock, type Timer } from "../base/clock.ts";
import type { SimulatorConfig } from "./config.ts";
import { runnerKey, type Runner, type RunnerUse } from "./runner.ts";
import type { SimulatedModel } from "./config.ts";

/** What `expires_at` says of a model that is kept for ever: the longest Go duration. */
const FOREVER_MS = 9_223_372_036_854;
/** Ollama waits no longer for the memory of an unloaded model. */
const LONGEST_RECOVERY_MS = 5_000;

/** A model in memory and the moment, in milliseconds since the epoch, at which it would go. */
export interface LoadedRunner {
  readonly runner: Runner;
  readonly expiresAt: number;
}

interface Expiry {
  readonly timer: Timer;
  readonly at: number;
}

/** The runners of one server. Contract: never throws. */
export class Residents {
  readonly #clock: Clock;
  readonly #config: SimulatorConfig;
  readonly #runners = new Map<string, Runner>();
  readonly #expiries = new Map<Runner, Expiry>();
  readonly #listeners = new Set<() => void>();
  #unloadWaiters: (() => void)[] = [];
  /** Of the process that runs now; what it began ends with it. */
  #life = new AbortController();
  unloads = 0;

  constructor(clock: Clock, config: SimulatorConfig) {
    this.#clock = clock;
    this.#config = config;
  }

  /** Aborts when the server's process ends. */
  get life(): AbortSignal {
    return this.#life.signal;
  }

  get all(): readonly Runner[] {
    return [...this.#runners.values()];
  }

  of(model: SimulatedModel): Runner | undefined {
    return this.#runners.get(runnerKey(model));
  }

  /** Takes a runner in while it is being loaded. */
  add(runner: Runner): void {
    this.#runners.set(runnerKey(runner.model), runner);
    this.#tell();
  }

  /** Its process has started and reads the weights: from now on requests are served with this load. */
  becomeLoading(runner: Runner): void {
    runner.state = "loading";
    this.#tell();
  }

  /** Its load is over. It may be idle at once, since its client may have left in this very moment (keeps Z1). */
  becomeResident(runner: Runner): void {
    runner.state = "resident";
    this.#idle(runner);
    this.#tell();
  }

  /** Its load has failed: it never was there. */
  drop(runner: Runner): void {
    if (this.of(runner.model) === runner) this.#runners.delete(runnerKey(runner.model));
    this.#tell();
  }

  /** Counts a user in. Contract: the runner is resident. */
  use(runner: Runner, keepAliveMs: number | null): RunnerUse {
    if (keepAliveMs !== null && (!runner.leaving || this.#config.deadlock)) {
      runner.keepAliveMs = keepAliveMs;
      runner.leaving = false;
    }
    this.#stopExpiry(runner);
    return runner.use(() => this.#idle(runner));
  }

  /** A runner is to go as soon as it is idle. */
  expire(runner: Runner): void {
    runner.leaving = true;
    if (runner.state === "resident" && runner.users === 0) void this.#unload(runner);
  }

  /** A client lets go of a model: it goes when idle, unless a later request keeps it. */
  release(runner: Runner): void {
    runner.keepAliveMs = 0;
    this.#stopExpiry(runner);
    this.#idle(runner);
  }

  /** Resolves at the next unload, of whichever runner, with its memory seen to be free; or with the server's end. */
  nextUnload(): Promise<void> {
    return new Promise((resolve) => this.#unloadWaiters.push(resolve));
  }

  /** What is in memory, the one that stays longest first. */
  loaded(): readonly LoadedRunner[] {
    return this.all
      .filter(({ state }) => state === "resident" || (state === "loading" && this.#config.listsLoading))
      .map((runner) => ({ runner, expiresAt: this.#expiresAt(runner) }))
      .toSorted((a, b) => b.expiresAt - a.expiresAt);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The server's process ends: every model is gone, and with it everything that waits or works on one. */
  end(error: Error): void {
    this.#life.abort(error);
    this.#life = new AbortController();
    const runners = this.all;
    this.#runners.clear();
    for (const runner of runners) {
      this.#stopExpiry(runner);
      runner.state = "unloading";
      runner.fail(error);
    }
    this.#unloaded();
    this.#tell();
  }

  #idle(runner: Runner): void {
    if (runner.state !== "resident" || runner.users > 0 || this.of(runner.model) !== runner) return;
    this.#stopExpiry(runner);
    if (runner.leaving || runner.keepAliveMs === 0) return void this.#unload(runner);
    if (runner.keepAliveMs < 0) return;
    const at = this.#clock.now() + runner.keepAliveMs;
    const timer = this.#clock.after(runner.keepAliveMs, () => void this.#unload(runner));
    this.#expiries.set(runner, { timer, at });
  }

  #stopExpiry(runner: Runner): void {
    this.#expiries.get(runner)?.timer.cancel();
    this.#expiries.delete(runner);
  }

  #expiresAt(runner: Runner): number {
    const keepMs = runner.keepAliveMs < 0 ? FOREVER_MS : runner.keepAliveMs;
    return this.#expiries.get(runner)?.at ?? this.#clock.now() + keepMs;
  }

  /** Never rejects: with the server's end there is nothing left to unload. */
  async #unload(runner: Runner): Promise<void> {
    this.#stopExpiry(runner);
    runner.state = "unloading";
    this.#tell();
    const { signal } = this.#life;
    try {
      await delay(this.#clock, this.#config.unloadMs, signal);
      this.#runners.delete(runnerKey(runner.model));
      this.unloads += 1;
      this.#tell();
      const recoveryMs = Math.min(this.#config.vramRecoveryMs, LONGEST_RECOVERY_MS);
      if (recoveryMs > 0) await delay(this.#clock, recoveryMs, signal);
      this.#unloaded();
    } catch {
      // The server has ended meanwhile and said so to whoever waited.
    }
  }

  #unloaded(): void {
    for (const resolve of this.#unloadWaiters.splice(0)) resolve(); // keeps Z2
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
