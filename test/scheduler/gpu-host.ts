// A model server with memory, and the host that obeys the scheduler on it: loads and unloads take time, some loads
// fail, and what does not fit makes the server let go of others, as Ollama does. It says what the scheduler must never
// ask of it.

import type { SimulatedClock } from "../../src/base/clock.ts";
import type { Random } from "../../src/base/ids.ts";
import type { Scheduler } from "../../src/scheduler/scheduler.ts";
import { count, type Check } from "./g-checks.ts";

export interface ServerOptions {
  readonly backend: string;
  readonly clock: SimulatedClock;
  readonly random: Random;
  /** What each profile takes. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly capacity: number;
  readonly loadMs: number;
  readonly unloadMs: number;
  /** Share of loads that fail. */
  readonly failing: number;
  /** Whether the scheduler was told the capacity and the sizes. */
  readonly isKnown: boolean;
  readonly inFlight: (profile: string) => number;
}

export class GpuHost {
  readonly #options: ServerOptions;
  readonly #loaded = new Set<string>();
  #scheduler: Pick<Scheduler, "setResidency"> | null = null;
  #busyWith: string | null = null;
  loads = 0;
  failed = 0;
  evicted = 0;
  unloads = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  serve(scheduler: Pick<Scheduler, "setResidency">): void {
    this.#scheduler = scheduler;
  }

  /** Whether a turn may be sent: the model is there and nothing is being done to it. */
  serves(profile: string): boolean {
    return this.#loaded.has(profile) && this.#busyWith !== profile;
  }

  get isIdle(): boolean {
    return this.#busyWith === null;
  }

  load(profile: string): void {
    this.#begin("G4", profile);
    this.#must("G15", this.#options.sizes.has(profile), `${profile} is a profile that a task named`);
    this.#must("G5", !this.#loaded.has(profile), `${profile} is loaded twice`);
    this.loads++;
    const { clock, loadMs, random, failing } = this.#options;
    // What has to go for it goes first; nobody may be using it.
    for (const each of this.#inTheWay(profile)) this.#evict(each);
    const fails = random.next() < failing;
    clock.after(loadMs, () => {
      this.#busyWith = null;
      if (fails) {
        this.failed++;
        return this.#report(profile, "absent", loadMs);
      }
      this.#loaded.add(profile);
      this.#must("G3", this.#used() <= this.#options.capacity, "more is loaded than there is memory for");
      this.#report(profile, "resident", loadMs);
    });
  }

  unload(profile: string): void {
    this.#begin("G4", profile);
    this.#must("G6", this.#options.inFlight(profile) === 0, `${profile} is unloaded under a turn`);
    this.unloads++;
    const { clock, unloadMs } = this.#options;
    clock.after(unloadMs, () => {
      this.#busyWith = null;
      this.#loaded.delete(profile);
      this.#report(profile, "absent", unloadMs);
    });
  }

  #evict(profile: string): void {
    this.#must("G6", this.#options.inFlight(profile) === 0, `${profile} is loaded over under a turn`);
    this.#must("G3", !this.#options.isKnown, "what fits by its sizes makes the server let nobody go");
    this.evicted++;
    this.#loaded.delete(profile);
    const { clock, loadMs } = this.#options;
    clock.after(loadMs / 2, () => this.#report(profile, "absent"));
  }

  #inTheWay(profile: string): string[] {
    const { sizes, capacity } = this.#options;
    const gone: string[] = [];
    let used = this.#used() + (sizes.get(profile) ?? 0);
    for (const each of this.#loaded) {
      if (used <= capacity) break;
      gone.push(each);
      used -= sizes.get(each) ?? 0;
    }
    return gone;
  }

  #used(): number {
    return [...this.#loaded].reduce((sum, each) => sum + (this.#options.sizes.get(each) ?? 0), 0);
  }

  #begin(check: Check, profile: string): void {
    this.#must(check, this.#busyWith === null, `${profile} while ${this.#busyWith} is under way`);
    this.#busyWith = profile;
  }

  #must(check: Check, holds: boolean, what: string): void {
    count(check, holds, what);
  }

  #report(profile: string, state: "absent" | "resident", tookMs?: number): void {
    const { backend, sizes } = this.#options;
    const vramBytes = state === "resident" ? sizes.get(profile) : undefined;
    this.#scheduler?.setResidency({
      backend,
      profile,
      state,
      ...(vramBytes !== undefined && { vramBytes }),
      ...(tookMs !== undefined && { tookMs }),
    });
  }
}
