// What the scheduler knows: tasks, backends and their lanes, the gates of both and of parents, leases. Data and its construction only; the
// rules of movement are in flow.ts, the commands in decide.ts. It is changed in place, by those two and patience.ts,
// and only as a function of what is in it, the command and the time given with the command (S5).

import { SCHEDULING_CLASSES, type Residency, type SchedulingClass } from "../core/lifecycle.ts";
import type { CapState } from "./adaptive-state.ts";
import type { WarmState } from "./adaptive-warm.ts";
import { Gate } from "./gate.ts";
import type { QueueEntry } from "./queue.ts";
import { Shares, type Bill } from "./shares.ts";
import type { BackendCaps, Lease, SchedulerSignal } from "./scheduler.ts";

/** What one task waits for. It keeps its rank from gate to gate, so that moving on never costs it its turn. */
export interface Ask extends QueueEntry {
  readonly task: TaskEntry;
  /** `admission` is answered by `admitted`, `turn` by `granted`. */
  readonly kind: "admission" | "turn";
  readonly askedAt: number;
  /** How many had been admitted on its lane when it was asked. */
  readonly among: number;
  readonly front: boolean;
  class: SchedulingClass;
  /** When an interactive turn that waits for a lease loses its patience. */
  patientUntil: number;
  /** Since when it has waited for its lane itself, and not for its parent; `null` while it does not. */
  here: number | null;
}

export type TaskGate = Gate<TaskEntry, Ask>;

/** One task that was admitted or waits to be; what it holds is known by the gates. */
export interface TaskEntry extends Bill {
  readonly taskId: string;
  readonly parentId: string | null;
  readonly needsPlace: boolean;
  lane: Lane;
  readonly parent: Parent;
  readonly agent: TaskGate | null;
  readonly agentKey: string | null;
  /** It comes back from a restart, so that it waits for its place ahead of new children. */
  readonly returning: boolean;
  admitted: boolean;
  /** How many were admitted to its lane before it. */
  admittedAs: number;
  /** The class that `setClass` gave; later requests have at least this one. */
  floor: SchedulingClass | null;
  ask: Ask | null;
  /** The gate whose queue holds `ask`. */
  gate: TaskGate | null;
  lease: Lease | null;
  /** When it gave back its last lease, while it is expected to ask for another; `null` when it is not. */
  betweenSince: number | null;
  /** How often its turn was stopped for another model, and has not been done since. */
  stops: number;
  /** Where it may run as well, its own lane among them, the preferred first; empty where there is only one. */
  equals: readonly Lane[];
  /** What reading its prompt took where it ran last, were none of it cached; 0 before its first turn. */
  readMs: number;
}

/** One model server, or one endpoint of a cloud. */
export interface Backend {
  caps: BackendCaps;
  away: boolean;
  /** By load profile. */
  readonly lanes: Map<string, Lane>;
  readonly housing: Housing;
}

/** Where the profile of a lane stands that is loaded and unloaded at our command. */
export interface Residence {
  state: Residency;
  /** It cannot be loaded, and its turns are to learn so by themselves. */
  passing: boolean;
  /** When it became resident. */
  since: number;
  /** What it takes of the GPU's memory: as seen, else as foretold. */
  sizeBytes: number | null;
  /** Loads that failed in a row, and when the next may be tried. */
  failures: number;
  retryAt: number;
  /** What loading and unloading it has taken lately. */
  loadMs: number | null;
  unloadMs: number | null;
}

/** What a backend knows of its profiles together: for whom it makes room, and which have been seen side by side. */
export interface Housing {
  /** For whom other lanes drain; `unload` is false when the server itself is to choose whom it lets go. */
  making: { readonly lane: Lane; readonly unload: boolean } | null;
  /** What was loaded when the load under way began. */
  beside: readonly Lane[];
  /** Sets of profiles that were seen loaded together, and such of which one had to go: how often, and left apart until. */
  fitting: readonly ReadonlySet<string>[];
  misfits: readonly { readonly names: ReadonlySet<string>; readonly times: number; readonly until: number }[];
  /** When a person's turn last had a model swapped that was in use. */
  forcedAt: number;
  /** The latest times that tasks took between two turns. */
  readonly toolTimes: number[];
  lingerMs: number;
  /** When time alone may next change what is to be loaded; `Infinity` when it will not. */
  wakeAt: number;
}

/** One load profile on one backend. Its three gates never look at each other; an ask goes from one to the next. */
export interface Lane {
  readonly backend: Backend;
  readonly profile: string;
  /** `null` where everything is always there. */
  residence: Residence | null;
  /** What was learnt of its caps, which are the gates' limits then; `null` where they are fixed. */
  cap: CapState | null;
  warm: WarmState | null;
  readonly places: TaskGate;
  /** What each parent has had here. */
  readonly shares: Shares;
  /** Tasks admitted so far. */
  admitted: number;
  /** Where tasks that need no place wait while nobody is admitted. */
  readonly doors: TaskGate;
  readonly leases: TaskGate;
  /** Tasks of this lane that wait to be admitted, at whichever gate, and turns that wait for a place or a lease. */
  readonly admissions: Set<TaskEntry>;
  readonly turns: Set<TaskEntry>;
  /** Interactive turns waiting for a lease, oldest first: within their patience, and past it. */
  readonly patient: Set<Ask>;
  readonly impatient: Set<Ask>;
  /** Admitted tasks that neither wait, generate nor are parked: they run a tool, and will be back. */
  readonly between: Set<TaskEntry>;
  /** When a task was last added to those. */
  betweenSince: number;
  /** Holders of leases that were asked to stop and have not let go yet. */
  readonly stopping: Set<TaskEntry>;
  /** Whose turn was stopped for another model, and has not been done since. */
  readonly stopped: Set<TaskEntry>;
  /** Who waits here and may run elsewhere. */
  readonly roamers: Roamers;
  /** Until when nobody comes here from elsewhere, because a generation failed here. */
  sickUntil: number;
  /** What a token of a prompt takes that is not cached, as first turns showed. */
  readTokenMs: number;
}

/** Tasks that wait on a lane and may run elsewhere; in the order in which they began to. */
export interface Roamers {
  /** New children that wait for a place, by where they may go. */
  readonly fresh: Map<Lane, Set<TaskEntry>>;
  /** Who waits for a turn. */
  readonly turns: Set<TaskEntry>;
}

/** The gates below one parent; the tasks without a parent share one, which has no child slots to run out of. */
export interface Parent {
  readonly parentId: string | null;
  readonly slots: TaskGate;
  readonly agents: Map<string, TaskGate>;
  /** Its children that have not ended; without any it is forgotten. */
  children: number;
}

export interface SchedulerState {
  readonly patienceMs: number;
  /** 24 hexadecimal digits that make lease ids unlike those of other boxes; a serial number follows. */
  readonly leaseSalt: string;
  readonly backends: Map<string, Backend>;
  readonly parents: Map<string | null, Parent>;
  readonly tasks: Map<string, TaskEntry>;
  readonly leases: Map<string, TaskEntry>;
  /** Lanes with somebody who may run elsewhere, and when time alone may next let one of them. */
  readonly roaming: Set<Lane>;
  roamAt: number;
  paused: boolean;
  asked: number;
  granted: number;
}

/**
 * A signal and the entry that it is about, so that the shell can see whether it is still true when it delivers; what is
 * about a lane has none, and is always told.
 */
export interface Effect {
  readonly signal: SchedulerSignal;
  readonly task: TaskEntry | null;
}

/** How long a loaded model stays for a tool to come back, until it is known how long tools take. */
const LINGER_MS = 5_000;

const CLASSES = SCHEDULING_CLASSES.length;

/** Levels of a place queue on which tasks return from being parked or from a restart; new children follow below. */
export const RETURNING_LEVELS = 2 * CLASSES;
export const PLACE_LEVELS = RETURNING_LEVELS + CLASSES;
const LEASE_LEVELS = 2 * CLASSES;
/** Both levels of interactive turns: nothing is ever granted a lease ahead of them. */
const STRICT_LEASE_LEVELS = 2;

export function createState(options: {
  readonly patienceMs: number;
  readonly leaseSalt: string;
}): SchedulerState {
  return {
    ...options,
    backends: new Map(),
    parents: new Map(),
    tasks: new Map(),
    leases: new Map(),
    roaming: new Set(),
    roamAt: Infinity,
    paused: false,
    asked: 0,
    granted: 0,
  };
}

export function createBackend(caps: BackendCaps): Backend {
  const housing: Housing = {
    making: null,
    beside: [],
    fitting: [],
    misfits: [],
    forcedAt: -Infinity,
    toolTimes: [],
    lingerMs: LINGER_MS,
    wakeAt: Infinity,
  };
  return { caps, away: false, lanes: new Map(), housing };
}

export function* lanesOf(state: SchedulerState): Iterable<Lane> {
  for (const backend of state.backends.values()) yield* backend.lanes.values();
}

export function createResidence(): Residence {
  return {
    state: "absent",
    passing: false,
    since: 0,
    sizeBytes: null,
    failures: 0,
    retryAt: 0,
    loadMs: null,
    unloadMs: null,
  };
}

export function createLane(backend: Backend, profile: string, paused: boolean): Lane {
  const { caps } = backend;
  const shares = new Shares();
  const lane: Lane = {
    backend,
    shares,
    admitted: 0,
    profile,
    residence: null,
    cap: null,
    warm: null,
    places: new Gate({ kind: "place", limit: caps.maxChildren, levels: PLACE_LEVELS, dues: shares }),
    doors: new Gate({ kind: "door", limit: Infinity, levels: CLASSES }),
    leases: new Gate({
      kind: "lease",
      limit: caps.slots,
      levels: LEASE_LEVELS,
      strict: STRICT_LEASE_LEVELS,
    }),
    admissions: new Set(),
    turns: new Set(),
    patient: new Set(),
    impatient: new Set(),
    between: new Set(),
    betweenSince: 0,
    stopping: new Set(),
    stopped: new Set(),
    roamers: { fresh: new Map(), turns: new Set() },
    sickUntil: -Infinity,
    readTokenMs: 0,
  };
  pauseLane(lane, paused);
  return lane;
}

/** While paused, tasks that were admitted before still return to their places, and sessions open; no child comes in. */
export function pauseLane(lane: Lane, paused: boolean): void {
  lane.places.queue.open(paused ? RETURNING_LEVELS : PLACE_LEVELS);
}

export function createParent(parentId: string | null): Parent {
  return {
    parentId,
    slots: new Gate({ kind: "slot", limit: 0, levels: CLASSES }),
    agents: new Map(),
    children: 0,
  };
}

export function createAgentGate(): TaskGate {
  return new Gate({ kind: "agent", limit: 0, levels: CLASSES });
}
