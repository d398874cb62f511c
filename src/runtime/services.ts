// What one task's host may ask of the runtime: narrow ports, so that a host can be read without the rest.

import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import type { TaskApi } from "../core/api.ts";
import type { SchedulingClass } from "../core/lifecycle.ts";
import type { Settings, ModelSettings } from "../core/settings.ts";
import type { ModelRef, TaskEnd, TaskSpec } from "../core/task.ts";
import type { Tool } from "../core/tool.ts";
import type { Worktrees } from "../core/worktree.ts";
import type { agentMachine } from "../../machines/agent.ts";
import type { Provider } from "../../providers/provider.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { Store } from "../store/store.ts";
import type { Dormitory } from "./dormitory.ts";
import type { Delta } from "./event-stream.ts";
import type { RedactedText } from "./generation.ts";
import type { GpuRates } from "./gpu-rates.ts";
import type { KeyCaller } from "./keyed-provider.ts";
import type { Enrolment } from "./inspection.ts";
import type { Ledger } from "./ledger.ts";
import type { Residency } from "./residency.ts";
import type { RestartIntensity } from "./restart-intensity.ts";
import type { TargetHealth } from "./target-health.ts";
import type { WaitForecast } from "./wait-forecast.ts";
import type { StorePatience } from "./store-patience.ts";
import type { Suspects } from "./suspects.ts";

/** The tree of living tasks, as a host sees it. */
export interface Kinship {
  isLive(taskId: string): boolean;
  /** Whether it lives and is not on its way to its end. */
  listens(taskId: string): boolean;
  /** Mail has come for it, from a commit of another task. */
  announce(taskId: string): void;
  /** Resolves with the task's end; with null when its host let go without one. For living tasks only. */
  whenEnded(taskId: string, signal?: AbortSignal): Promise<TaskEnd | null>;
  /** Whether one above it is ending, or was to be cancelled when the server died: then it ends too. */
  isCalledOff(spec: TaskSpec): Promise<boolean>;
  /** Living children that were not detached. */
  liveChildren(taskId: string): readonly string[];
  /** How many they are; costs the same however many. */
  liveCount(taskId: string): number;
  /** Resolves when the task has no living children left. */
  childless(taskId: string): Promise<void>;
  /** Cancels the children of a task that ends, unless they were detached. */
  cancelChildren(taskId: string, reason: string): void;
  /** Lets tasks and their descendants wait in a higher class, because a task of that class waits for them. */
  inheritClass(taskIds: readonly string[], schedulingClass: SchedulingClass | null): void;
  /** The task has ended and its end is in the store. */
  ended(taskId: string, end: TaskEnd): void;
  /** Another owner has the task, or the store refused a write: the host let go of everything. */
  lost(taskId: string): void;
}

export interface HostServices {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Store;
  readonly patience: StorePatience;
  readonly scheduler: Scheduler;
  readonly residency: Pick<Residency, "enter" | "profileOf" | "sizeOf" | "outages" | "seek">;
  /** The machine with its effects provided, once for all tasks. */
  readonly machine: typeof agentMachine;
  readonly kinship: Kinship;
  readonly dormitory: Dormitory;
  readonly suspects: Suspects;
  readonly inspection: Enrolment;
  readonly restarts: RestartIntensity;
  readonly health: TargetHealth;
  readonly forecast: WaitForecast;
  /** The provider that serves a model; with a caller, one whose generations take the keys of its pool. */
  providerOf(ref: ModelRef, caller?: KeyCaller): Provider;
  modelOf(ref: ModelRef): ModelSettings;
  /** The tools of a task by name; the same map for all tasks with the same toolsets and role. */
  toolsOf(spec: TaskSpec): ReadonlyMap<string, Tool>;
  systemPrompt(spec: TaskSpec): string;
  /** Lets go of what tools hold for a task, as of Toolset; absent where none ever holds anything. */
  readonly releaseTools?: (taskId: string) => Promise<void>;
  /** Makes the checkouts of tasks that have one of their own; absent where nothing can. */
  readonly worktrees?: Worktrees;
  /** Takes every secret that is known out of a text. */
  redact(text: string): string;
  /** The same for a text that comes in pieces; one for each. */
  redactStream(): RedactedText;
  /** The API bound to one task, for its tools. */
  apiFor(taskId: string): TaskApi;
  /** The ledger of the smallest budget that a living task is under. */
  ledgerOf(spec: TaskSpec): Ledger;
  readonly gpu: GpuRates;
  /** The box stops: turns under way may end, and none begins. */
  isDraining(): boolean;
  /** Shows what a model is writing to whoever watches. */
  showDelta(spec: TaskSpec, delta: Delta): void;
}
