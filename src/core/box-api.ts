// The half of the API that shows the machine: GPU lanes, model servers, machines, and the switch that stops spawning.

import type { KeyWord } from "./key-state.ts";
import type { Residency, SchedulingClass, State } from "./lifecycle.ts";

/** One load profile of a backend as a lane: who holds what, who waits. */
export interface LaneView {
  readonly backend: string;
  /** What is loaded there to serve it: a model and its options, as `qwen3:8b@16384`; empty for the whole backend. */
  readonly profile: string;
  readonly provider: string;
  readonly gpu: string | null;
  /** `null` where nothing is loaded or unloaded at our command. */
  readonly residency: Residency | null;
  /** Generations that may be in flight. */
  readonly slots: number;
  /** Whether that is found by measuring; `slotsReason` then says why it is what it is, else it is `null`. */
  readonly slotsAuto: boolean;
  readonly slotsReason: string | null;
  readonly maxChildren: number;
  readonly leases: readonly {
    readonly leaseId: string;
    readonly taskId: string;
    readonly class: SchedulingClass;
    readonly heldMs: number;
  }[];
  readonly places: readonly string[];
  readonly waiting: readonly {
    readonly taskId: string;
    readonly wants: "place" | "lease";
    readonly class: SchedulingClass;
    readonly position: number;
    readonly waitedMs: number;
    readonly reason: string;
  }[];
}

/** Where a model of ours stands on a server that loads and unloads at our command. */
export interface ResidencyView {
  readonly backend: string;
  /** The model with the options that it is loaded with, as `qwen3:8b@16384`. */
  readonly profile: string;
  readonly model: string;
  readonly state: Residency;
  /** Why an absent one cannot be loaded for now: its turns are told so instead of waiting. */
  readonly phase: "backing_off" | "wedged" | "removed" | "away" | null;
  /** When it came into that state, in milliseconds since the epoch, as all times of views. */
  readonly since: number;
  /** Generations of ours under way. */
  readonly inFlight: number;
  readonly vramBytes: number;
  /** What its last load took, in milliseconds. */
  readonly loadMs: number | null;
  /** Loads in a row that failed. */
  readonly failures: number;
  readonly problem: { readonly code: string; readonly message: string } | null;
  /** When it may be loaded again. */
  readonly retryAt: number | null;
}

export interface LoadedModel {
  readonly model: string;
  readonly sizeBytes: number;
  readonly vramBytes: number;
  readonly contextTokens: number | null;
  /** Somebody else loaded it, on a server where we load ours by command. */
  readonly foreign: boolean;
}

/** A model server of this box that does not answer. */
export interface OutageView {
  readonly backend: string;
  /** When that was noticed, in milliseconds since the epoch. */
  readonly since: number;
  /** Tasks that began a turn meanwhile and wait for it. */
  readonly held: number;
  /** The same in words, with its address. */
  readonly message: string;
}

export interface GpuView {
  readonly gpu: string;
  readonly backends: readonly LaneView[];
  readonly loaded: readonly LoadedModel[];
  /** The models of ours that were asked for, or are there; empty where nothing is loaded at our command. */
  readonly residency: readonly ResidencyView[];
  /** Its servers that are away. */
  readonly outages: readonly OutageView[];
}

export interface ModelView {
  readonly model: string;
  readonly sizeBytes: number | null;
  readonly parameters: string | null;
  readonly contextTokens: number | null;
  readonly tools: boolean;
  readonly thinking: boolean;
}

/** One API key of a provider, known by its fingerprint and never by itself. Times are milliseconds since the epoch. */
export interface KeyView {
  /** `null` for one that cannot be read. */
  readonly fingerprint: string | null;
  /** `env:NAME`, or `literal`. */
  readonly source: string;
  readonly state: KeyWord;
  /** Why it is not ready; `null` when it is. */
  readonly reason: string | null;
  /** When it may be used, or is asked, again; `null` when no time mends it. */
  readonly until: number | null;
  readonly inFlight: number;
  /** Requests at once that it is given; `null` for no limit. */
  readonly concurrency: number | null;
  /** Models that it has to wait for. */
  readonly models: readonly { readonly model: string; readonly until: number; readonly reason: string }[];
}

export interface ProviderView {
  readonly provider: string;
  readonly type: string;
  readonly baseUrl: string;
  readonly reachable: boolean;
  readonly version: string | null;
  readonly problem: string | null;
  readonly simulated: boolean;
  readonly models: readonly ModelView[];
  /** Empty for a server that takes none. */
  readonly keys: readonly KeyView[];
}

export interface MachineView {
  readonly name: string;
  readonly version: number;
  /** The machine's own definition, as XState gives it, and the `always` of each state. */
  readonly definition: unknown;
}

/** The box: its GPUs, providers, machines, and the switch that stops spawning. */
export interface BoxApi {
  gpus(): Promise<readonly GpuView[]>;
  providers(): Promise<readonly ProviderView[]>;
  machine(name: string): Promise<MachineView>;
  /** While paused, new tasks are accepted and stay queued. */
  pause(paused: boolean): Promise<{ readonly paused: boolean }>;
  /**
   * Switches an API key off, or on again as if nothing had become of it; the key as it is then, once for each provider
   * that uses it. Throws NotFoundError `key_not_found`.
   */
  switchKey(fingerprint: string, disabled: boolean): Promise<readonly KeyView[]>;
  status(): Promise<BoxStatus>;
}

export interface BoxStatus {
  readonly version: string;
  readonly boxId: string;
  /** Labels everything where the models are simulated. */
  readonly simulated: boolean;
  readonly paused: boolean;
  readonly tasks: Readonly<Record<State, number>>;
  readonly startedAt: number;
  /** What an acknowledged task survives: nothing, `kill -9`, or a power loss. */
  readonly durability: "none" | "normal" | "full";
  /** The store that numbers the events, and the newest of them; 0 before the first. */
  readonly storeId: string;
  readonly newestCursor: number;
  /** When this was recorded, in milliseconds since the epoch; `null` where it is no recording, and things go on. */
  readonly recordedAt: number | null;
  /** What the config has switched off that keeps this machine from its agents, one sentence each. */
  readonly unsafe: readonly string[];
}
