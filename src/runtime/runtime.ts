// Puts the parts of the runtime together and hands out the API, bound to a caller.

import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import type { Caller, TroupeApi } from "../core/api.ts";
import type { Settings } from "../core/settings.ts";
import type { ModelRef, TaskRole } from "../core/task.ts";
import type { Tool } from "../core/tool.ts";
import type { Worktrees } from "../core/worktree.ts";
import type { Provider } from "../../providers/provider.ts";
import type { Scheduler, SchedulerSignal } from "../scheduler/scheduler.ts";
import type { Store } from "../store/store.ts";
import { BoundApi } from "./bound-api.ts";
import { Box } from "./box.ts";
import type { CheckArguments } from "./call-tools-effect.ts";
import type { RedactedText } from "./generation.ts";
import { Household } from "./household.ts";
import type { Recovery } from "./resuming.ts";
import type { Leak } from "./reaper.ts";
import type { KeyCaller } from "./keyed-provider.ts";
import { NO_KEYS, type KeyDesk } from "./key-desk.ts";
import { Inspection } from "./inspection.ts";
import { Reading } from "./reading.ts";
import { Sessions } from "./sessions.ts";
import { Tasks } from "./tasks.ts";

export interface RuntimeOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Store;
  readonly makeScheduler: (onSignal: (signal: SchedulerSignal) => void) => Scheduler;
  /** The providers of the config by name. */
  readonly providers: ReadonlyMap<string, Provider>;
  /** The provider that serves a model, its credential resolved; throws ConfigError when it cannot be used. */
  readonly providerOf: (ref: ModelRef, caller?: KeyCaller) => Provider;
  /** The keys of the providers, for people to see and to switch; none are shown when absent. */
  readonly keys?: KeyDesk;
  readonly knownToolsets: ReadonlySet<string>;
  readonly toolsOf: (toolsets: readonly string[], role: TaskRole) => readonly Tool[];
  readonly checkArguments: CheckArguments;
  /** Makes the checkouts of tasks that have one of their own; absent where nothing can. */
  readonly worktrees?: Worktrees;
  /** Where the machines at work are shown; its own when absent. One that outlives the runtime is watched on. */
  readonly inspection?: Inspection;
  /** Lets go of what tools hold for a task that has ended. */
  readonly releaseTools?: (taskId: string) => Promise<void>;
  /** Takes every secret that is known out of a text; none is known when absent. */
  readonly redact?: (text: string) => string;
  /** The same for a text that comes in pieces; one for each. */
  readonly redactStream?: () => RedactedText;
}

/** A person at this machine, with every scope. */
export const OPERATOR: Caller = { name: "operator", scopes: ["read", "control", "admin"], taskId: null };

export class Runtime {
  /** The machines at work, for those who watch. */
  readonly inspection: Inspection;
  readonly #household: Household;
  readonly #tasks: Tasks;
  readonly #sessions: Sessions;
  readonly #reading: Reading;
  readonly #box: Box;
  readonly #options: RuntimeOptions;

  constructor(options: RuntimeOptions) {
    const { settings, clock, store, providerOf } = options;
    this.#options = options;
    const inspection = (this.inspection = options.inspection ?? new Inspection(options));
    this.#household = new Household({
      ...options,
      inspection,
      apiFor: (taskId) => this.as(agentCaller(taskId)),
    });
    const household = this.#household;
    this.#tasks = new Tasks({ ...options, household, checkProvider: (ref) => void providerOf(ref) });
    this.#sessions = new Sessions({ ...options, household, tasks: this.#tasks });
    this.#reading = new Reading({ settings, clock, store, household, tasks: this.#tasks });
    this.#box = new Box({
      settings,
      clock,
      store,
      household,
      providers: options.providers,
      keys: options.keys ?? NO_KEYS,
    });
  }

  /** The API as this caller has it. */
  as(caller: Caller): TroupeApi {
    return new BoundApi({
      caller,
      tasks: this.#tasks,
      sessions: this.#sessions,
      reading: this.#reading,
      box: this.#box,
      store: this.#options.store,
      streams: this.#household.streams,
      random: this.#options.random,
    });
  }

  /** Whether people want that nothing new is admitted. */
  get paused(): boolean {
    return this.#box.paused;
  }

  /** What the scheduler holds, for checks that nothing leaks. */
  counts(): ReturnType<Scheduler["counts"]> & { readonly living: number } {
    return { ...this.#household.scheduler.counts(), living: this.#household.family.size };
  }

  /** Looks once for what the scheduler holds for nobody, as each heartbeat does; what was given back for it. */
  reap(): readonly Leak[] {
    return this.#household.reaper.look();
  }

  /** Takes up what the store has open; before anything else is asked of it. Throws what the store throws. */
  recover(): Promise<Recovery> {
    return this.#household.recover();
  }

  /** Begins no further turn, and resolves when those under way have ended or the grace is over. */
  drain(graceMs: number): Promise<{ readonly parked: number }> {
    return this.#household.drain(graceMs);
  }

  /** Lets go of everything; tasks that have not ended stay in the store. */
  async close(): Promise<void> {
    await this.#household.close();
  }
}

/** A task's own tools: they reach its subtree. */
function agentCaller(taskId: string): Caller {
  return { name: taskId, scopes: ["read", "control"], taskId };
}
