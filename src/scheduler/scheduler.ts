// The contract of the scheduler: who may exist as a live child, and who may generate now (design.md §4).
// It sees ids and plain numbers only; it knows no task, no model server and no machine.
//
// S1. Leases ≤ slots, always, also right after a cap is lowered (no new lease until below it).
// S2. A waiting task holds no lease.
// S3. A lease ends exactly once.
// S4. Bounded bypass: nobody starves.
// S5. Every decision follows from (state, command, now); the shell only keeps timers.
// S6. A ready turn and a free lease of a profile that is loaded never coexist for more than a tick.
//
// A backend is one model server. A load profile is one model on it with the options that it is loaded with, here only
// a name; a lane is the two together, and has slots and places of its own (ADR 0019). The empty profile is a backend
// that needs nothing loaded.

import type { LaneView } from "../core/box-api.ts";
import type { Residency, SchedulingClass } from "../core/lifecycle.ts";

export interface BackendCaps {
  readonly backend: string;
  readonly provider: string;
  readonly gpu: string | null;
  /** Generations in flight, of each load profile; a server of unknown parallelism has 1. */
  readonly slots: number;
  /** Live places of each load profile: children at work on it. */
  readonly maxChildren: number;
  /** Tasks that may wait to be admitted; more is refused. A task that was admitted is never refused a turn. */
  readonly maxQueued: number;
  /**
   * Present where profiles are loaded and unloaded at the scheduler's command; absent where everything is always
   * there. `vramBytes` is what there is for all of them together, `null` where nobody could tell.
   */
  readonly residency?: { readonly vramBytes: number | null };
  /** Present where `slots` is only the first guess; `most` is never exceeded. */
  readonly autoSlots?: { readonly most: number };
  /** Present where `maxChildren` is only the first guess; `most` is never exceeded, unless there are more slots. */
  readonly autoChildren?: { readonly most: number };
}

export interface AdmitRequest {
  readonly taskId: string;
  /** Whose child slot it takes; `null` for a task without a parent, which needs none. */
  readonly parentId: string | null;
  /** Child slots of that parent; the newest figure counts. */
  readonly parentSlots: number;
  /** A further cap: tasks of this agent under this parent (`agents.<name>.concurrency_limit`). */
  readonly agentLimit?: { readonly key: string; readonly limit: number };
  readonly backend: string;
  /** The load profile on that backend; the empty one when absent. */
  readonly profile?: string;
  /** What the profile will take of the GPU's memory once it is loaded, where somebody can tell. */
  readonly sizeBytes?: number | null;
  /**
   * Where else it would be served alike, the preferred first. While it waits it may be told to go on there (`moved`);
   * a session never is.
   */
  readonly alternatives?: readonly LaneName[];
  readonly class: SchedulingClass;
  /** False for a session: it is nobody's child and takes no place. */
  readonly needsPlace: boolean;
  /**
   * It was accepted before a restart, so that it is never refused for room. Of one that was admitted then (`live`,
   * `parked`), child slot and agent's cap are its own at once, whatever they now are; `live` waits for its place ahead
   * of new children, and `parked` counts as admitted now and without a signal.
   */
  readonly returning?: "queued" | "live" | "parked";
}

/** A lane as whoever asks for it names it. */
export type LaneName = Pick<AdmitRequest, "backend" | "profile" | "sizeBytes">;

/** Where a task goes on, and where else it could from then on. */
export type MoveTarget = LaneName & Pick<AdmitRequest, "alternatives">;

export interface LeaseRequest {
  readonly taskId: string;
  readonly class: SchedulingClass;
  /** Goes to the head of its class: the generation was pre-empted, or the task resumes. */
  readonly front?: boolean;
}

export interface Lease {
  readonly leaseId: string;
  readonly taskId: string;
  readonly backend: string;
  readonly profile: string;
  readonly class: SchedulingClass;
  /** Monotonic milliseconds of the scheduler's clock. */
  readonly grantedAt: number;
  readonly waitedMs: number;
  /** Leases of its profile that were out then, itself included. */
  readonly inFlight: number;
}

/** What the scheduler tells its owner. Delivered in order, outside of the call that caused it. */
export type SchedulerSignal =
  | {
      readonly type: "admitted";
      readonly taskId: string;
      readonly backend: string;
      readonly profile: string;
      readonly waitedMs: number;
    }
  | { readonly type: "granted"; readonly lease: Lease }
  /** It waited, and another of its lanes has room: it goes on there. What it waits for is answered after this. */
  | { readonly type: "moved"; readonly taskId: string; readonly backend: string; readonly profile: string }
  /** The owner must abort the generation, release the lease, and ask again with `front: true`. */
  | { readonly type: "preempt"; readonly leaseId: string; readonly taskId: string; readonly by: string }
  /** The owner must load the profile, or unload it, and report with `setResidency` what became of it. */
  | { readonly type: "load"; readonly backend: string; readonly profile: string }
  | { readonly type: "unload"; readonly backend: string; readonly profile: string };

/** What the owner sees of a profile on a backend that loads and unloads at the scheduler's command. */
export interface ResidencyReport {
  readonly backend: string;
  readonly profile: string;
  /**
   * `draining` is the scheduler's own word and is taken as `resident`. `absent` after a `load` means that it failed,
   * `resident` after an `unload` likewise.
   */
  readonly state: Residency;
  /** What it takes of the GPU's memory, once that is known. */
  readonly vramBytes?: number;
  /** How long the load or unload took that has ended now. */
  readonly tookMs?: number;
  /**
   * With `absent`: it cannot be loaded, and turns are to learn so from their own generation. Until the next report
   * without it leases are granted all the same, and nothing is loaded or unloaded for it.
   */
  readonly passing?: boolean;
}

/** What one generation was seen to cost. All times in milliseconds, 0 where the server does not tell. */
export interface GenerationSample {
  readonly backend: string;
  readonly profile: string;
  readonly taskId: string;
  readonly parentId: string | null;
  readonly outcome: "ok" | "busy" | "oom" | "timeout" | "error" | "aborted";
  readonly waitMs: number;
  readonly loadMs: number;
  readonly promptMs: number;
  readonly outputMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly totalMs: number;
  readonly firstTokenMs: number | null;
  /** `Lease.inFlight` of the lease that it ran under. */
  readonly inFlight: number;
}

export interface QueuePlace {
  /** 1 is next. */
  readonly position: number;
  readonly length: number;
  readonly wants: "place" | "lease";
  /** In words: `2 of 2 slots on gpu0 are generating`. */
  readonly reason: string;
}

/** What the scheduler keeps for one task that has not ended. */
export interface Holding {
  readonly taskId: string;
  readonly leaseId: string | null;
  readonly place: boolean;
  readonly slot: boolean;
}

/**
 * Contract: calls for a task that is not known are no-ops, except where they say otherwise; every call may be
 * repeated. Nothing here is asynchronous: the answer comes as a signal.
 */
export interface Scheduler {
  /**
   * Adds a backend or changes its caps. A lowered cap takes effect as leases end; it never revokes one. Throws ConfigError
   * `residency_fixed` where `residency` comes or goes on a backend that is known.
   */
  setBackend(caps: BackendCaps): void;
  /**
   * A model server is away, or is back: meanwhile nobody is sent there from an equal one. Who is there, or asks for it by
   * name, waits as before. Ignored for a backend that is unknown.
   */
  setAway(backend: string, away: boolean): void;
  /**
   * Asks for a child slot and a live place. Throws LimitError `queue_full` when too many wait, and
   * ConfigError `unknown_backend`.
   */
  admit(request: AdmitRequest): void;
  /** Throws what admitting all of these after those `ahead` of them (by task) would throw now; changes nothing. */
  checkRoom(requests: readonly AdmitRequest[], ahead: ReadonlyMap<string, AdmitRequest>): void;
  /**
   * Asks for a generation lease; first for a live place again, if the task was parked, ahead of new children. Only
   * `granted` answers. Never refused for room: what was admitted goes on. Throws InternalError `not_admitted`
   * before the task was admitted.
   */
  requestLease(request: LeaseRequest): void;
  /**
   * What became of a profile. A lane grants leases while it is resident, and only then; what is out goes on. Ignored
   * for a backend that is unknown or loads nothing at our command.
   */
  setResidency(report: ResidencyReport): void;
  /** What a generation cost; it may come after its task has ended. */
  observe(sample: GenerationSample): void;
  /** Ends a lease. Unknown or ended ids are ignored (S3). */
  release(leaseId: string): void;
  /** Withdraws a lease request that has not been granted, or whose `granted` has not been delivered yet. */
  withdraw(taskId: string): void;
  /**
   * The task waits for another actor: it gives back its place and keeps its child slot, and what it asked for is
   * withdrawn. Throws InternalError `lease_held` while it holds a lease.
   */
  park(taskId: string): void;
  /**
   * The task goes on with another backend or profile: it keeps its child slot, gives back its place, and what it waits
   * for it waits for there. One that was admitted comes back to a place ahead of new children, with its next lease.
   * Where it already is only `alternatives` are renewed. Throws InternalError `lease_held` while it holds a lease, and ConfigError
   * `unknown_backend`.
   */
  move(taskId: string, to: MoveTarget): void;
  /** Sets the class of what the task waits for now; its later requests have at least this class. */
  setClass(taskId: string, schedulingClass: SchedulingClass): void;
  /** The task has ended: everything it held or waited for is given back. */
  end(taskId: string): void;
  /** While paused no task that needs a place is admitted; those admitted go on, and sessions open. */
  pause(paused: boolean): void;
  /** Where the task stands; `null` when it waits for nothing. */
  placeOf(taskId: string): QueuePlace | null;
  lanes(): readonly LaneView[];
  /** Every task that is known here, those that only wait included, with what it holds. */
  holders(): readonly Holding[];
  /** Totals for leak checks: all are 0 when no task is alive. */
  counts(): {
    readonly slots: number;
    readonly places: number;
    readonly leases: number;
    readonly waiting: number;
  };
  /** Stops the timers. */
  close(): void;
}
