// A box with so many tasks waiting, half for a lease and half for a place, and the commands of its every day: turns
// end and are asked for, children end and new ones come, a person asks something now and then, figures are told.
// Each command is timed alone; the number of those that wait stays the same.

import type { Clock } from "../../src/base/clock.ts";
import type { SchedulingClass } from "../../src/core/lifecycle.ts";
import { decide, type Command } from "../../src/scheduler/decide.ts";
import type { BackendCaps, SchedulerSignal } from "../../src/scheduler/scheduler.ts";
import { createState, type SchedulerState } from "../../src/scheduler/state.ts";
import { counts } from "../../src/scheduler/view.ts";

export interface HouseOptions {
  /** Tasks that wait. */
  readonly waiting: number;
  /** Models on the one server; more than one are loaded and unloaded at the scheduler's command. */
  readonly models: number;
  readonly clock: Clock;
}

/** Microseconds of each decision, by what was asked. */
export type Costs = ReadonlyMap<Command["type"], number[]>;

const BACKEND = "box";
const PARENTS = 8;
const SLOTS = 4;
const TURN_MS = 50;
const CHILD_TURNS = 8;
const QUESTION_EVERY = 64;
const NEVER_IMPATIENT_MS = 1_000_000_000;

export class FullHouse {
  readonly #options: HouseOptions;
  readonly #state: SchedulerState = createState({
    patienceMs: NEVER_IMPATIENT_MS,
    leaseSalt: "0".repeat(24),
  });
  readonly #costs = new Map<Command["type"], number[]>();
  /** Leases that are out, oldest first. */
  readonly #held: { readonly taskId: string; readonly leaseId: string; readonly profile: string }[] = [];
  readonly #turnsLeft = new Map<string, number>();
  #timing = false;
  #now = 0;
  #serial = 0;
  #steps = 0;

  constructor(options: HouseOptions) {
    this.#options = options;
    const caps: BackendCaps = {
      backend: BACKEND,
      provider: BACKEND,
      gpu: null,
      slots: SLOTS,
      maxChildren: Math.ceil(options.waiting / 2 / options.models) + SLOTS,
      maxQueued: options.waiting * 2,
      autoSlots: { most: SLOTS },
      ...(options.models > 1 && { residency: { vramBytes: 1_000 } }),
    };
    this.#run({ type: "set_backend", caps });
    while (this.waiting < options.waiting) this.#newChild();
  }

  get waiting(): number {
    return counts(this.#state).waiting;
  }

  /** Plays so many turns, timed; returns what the commands cost. */
  play(turns: number): Costs {
    this.#timing = true;
    for (let turn = 0; turn < turns; turn += 1) this.#turn();
    this.#timing = false;
    return this.#costs;
  }

  #turn(): void {
    const lease = this.#held.shift();
    if (lease === undefined) throw new Error("Expected a lease to be out, found none.");
    this.#now += TURN_MS;
    this.#run({ type: "release", leaseId: lease.leaseId });
    this.#observe(lease.taskId, lease.profile);
    const left = (this.#turnsLeft.get(lease.taskId) ?? 1) - 1;
    this.#turnsLeft.set(lease.taskId, left);
    if (left > 0) this.#ask(lease.taskId, this.#steps % QUESTION_EVERY === 0 ? "interactive" : "background");
    else this.#replace(lease.taskId);
    this.#steps += 1;
  }

  #replace(taskId: string): void {
    this.#turnsLeft.delete(taskId);
    this.#run({ type: "end", taskId });
    this.#newChild();
  }

  #newChild(): void {
    const index = this.#serial++;
    const taskId = `task_${index}`;
    // Spread, so that children do not all end at once.
    this.#turnsLeft.set(taskId, 1 + (index % CHILD_TURNS));
    this.#run({
      type: "admit",
      request: {
        taskId,
        parentId: `parent_${index % PARENTS}`,
        parentSlots: this.#options.waiting * 2,
        backend: BACKEND,
        ...(this.#options.models > 1 && { profile: `model_${index % this.#options.models}`, sizeBytes: 700 }),
        class: "background",
        needsPlace: true,
      },
    });
  }

  #ask(taskId: string, schedulingClass: SchedulingClass): void {
    this.#run({ type: "request_lease", request: { taskId, class: schedulingClass } });
  }

  #observe(taskId: string, profile: string): void {
    const told = { waitMs: 0, loadMs: 0, promptMs: 10, outputMs: 40, promptTokens: 100, outputTokens: 20 };
    const about = { backend: BACKEND, profile, taskId, parentId: "parent_0", outcome: "ok" } as const;
    const figures = { totalMs: TURN_MS, firstTokenMs: 10, inFlight: SLOTS };
    this.#run({ type: "observe", sample: { ...about, ...told, ...figures } });
  }

  #run(command: Command): void {
    const { clock } = this.#options;
    const startedAt = clock.monotonic();
    const effects = decide(this.#state, command, this.#now);
    const micros = (clock.monotonic() - startedAt) * 1_000;
    if (this.#timing) {
      const costs = this.#costs.get(command.type) ?? [];
      this.#costs.set(command.type, costs);
      costs.push(micros);
    }
    for (const { signal } of effects) this.#answer(signal);
  }

  /** The host of all tasks and models, which loads and unloads in no time. */
  #answer(signal: SchedulerSignal): void {
    if (signal.type === "admitted") this.#ask(signal.taskId, "background");
    if (signal.type === "granted") this.#held.push(signal.lease);
    if (signal.type === "load" || signal.type === "unload") {
      const state = signal.type === "load" ? "resident" : "absent";
      this.#run({ type: "set_residency", report: { backend: BACKEND, profile: signal.profile, state } });
    }
  }
}
