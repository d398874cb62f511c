// Drives the deterministic core by hand: commands with defaults, a clock that is a number, signals as short words.

import { TroupeError } from "../../src/base/errors.ts";
import type { Residency, SchedulingClass } from "../../src/core/lifecycle.ts";
import { decide, type Command } from "../../src/scheduler/decide.ts";
import type {
  AdmitRequest,
  BackendCaps,
  GenerationSample,
  LeaseRequest,
  ResidencyReport,
  SchedulerSignal,
} from "../../src/scheduler/scheduler.ts";
import { createState, type SchedulerState } from "../../src/scheduler/state.ts";
import { placeOf } from "../../src/scheduler/view.ts";

export const PATIENCE_MS = 5000;
export const SALT = "0123456789abcdef01234567";

export function caps(changes: Partial<BackendCaps> = {}): BackendCaps {
  return {
    backend: "local",
    provider: "ollama",
    gpu: "gpu0",
    slots: 1,
    maxChildren: 2,
    maxQueued: 1024,
    ...changes,
  };
}

export function admission(taskId: string, changes: Partial<AdmitRequest> = {}): AdmitRequest {
  return {
    taskId,
    parentId: "parent",
    parentSlots: 100,
    backend: "local",
    class: "background",
    needsPlace: true,
    ...changes,
  };
}

/** A generation on the backend `local` that went well. */
export function sample(taskId: string, parentId: string | null, outputMs: number): GenerationSample {
  return {
    backend: "local",
    profile: "",
    taskId,
    parentId,
    outcome: "ok",
    waitMs: 0,
    loadMs: 0,
    promptMs: 0,
    outputMs,
    promptTokens: 1,
    outputTokens: 1,
    totalMs: outputMs,
    firstTokenMs: null,
    inFlight: 1,
  };
}

export interface Logged {
  readonly command: Command;
  readonly now: number;
}

export class Desk {
  readonly state: SchedulerState = createState({ patienceMs: PATIENCE_MS, leaseSalt: SALT });
  readonly log: Logged[] = [];
  now = 0;

  constructor(changes: Partial<BackendCaps> = {}) {
    this.backend(changes);
  }

  /** What a command caused: `admitted a`, `granted a`, `preempt a for b`. */
  run(command: Command): string[] {
    return this.signals(command).map(inWords);
  }

  signals(command: Command): SchedulerSignal[] {
    this.log.push({ command, now: this.now });
    return decide(this.state, command, this.now).map(({ signal }) => signal);
  }

  backend(changes: Partial<BackendCaps> = {}): string[] {
    return this.run({ type: "set_backend", caps: caps(changes) });
  }

  admit(taskId: string, changes: Partial<AdmitRequest> = {}): string[] {
    return this.run({ type: "admit", request: admission(taskId, changes) });
  }

  /** A session: it needs no slot and no place. */
  session(taskId: string): string[] {
    return this.admit(taskId, { parentId: null, needsPlace: false, class: "interactive" });
  }

  ask(taskId: string, changes: Partial<LeaseRequest> = {}): string[] {
    return this.run({ type: "request_lease", request: { taskId, class: "background", ...changes } });
  }

  /** Ends the lease that the task holds. */
  release(taskId: string): string[] {
    return this.run({ type: "release", leaseId: this.leaseOf(taskId) });
  }

  park(taskId: string): string[] {
    return this.run({ type: "park", taskId });
  }

  move(taskId: string, backend: string, profile?: string): string[] {
    return this.run({ type: "move", taskId, to: { backend, ...(profile !== undefined && { profile }) } });
  }

  end(taskId: string): string[] {
    return this.run({ type: "end", taskId });
  }

  reclass(taskId: string, schedulingClass: SchedulingClass): string[] {
    return this.run({ type: "set_class", taskId, class: schedulingClass });
  }

  after(ms: number): string[] {
    this.now += ms;
    return this.run({ type: "tick" });
  }

  /** What became of a profile of the backend `local`. */
  report(profile: string, state: Residency, more: Partial<ResidencyReport> = {}): string[] {
    return this.run({ type: "set_residency", report: { backend: "local", profile, state, ...more } });
  }

  leaseOf(taskId: string): string {
    return this.state.tasks.get(taskId)?.lease?.leaseId ?? "lease_none";
  }

  position(taskId: string): number | undefined {
    return placeOf(this.state, taskId)?.position;
  }
}

/** Whom a signal is about; a profile's name where it is about no task. */
export function subjectOf(signal: SchedulerSignal): string {
  if (signal.type === "granted") return signal.lease.taskId;
  return signal.type === "load" || signal.type === "unload" ? signal.profile : signal.taskId;
}

function inWords(signal: SchedulerSignal): string {
  const words = `${signal.type} ${subjectOf(signal)}`;
  if (signal.type === "moved") return `${words} to ${signal.backend}`;
  return signal.type === "preempt" ? `${words} for ${signal.by}` : words;
}

/** The TroupeError that the work throws; anything else is a failure of the test. */
export function thrownBy(work: () => unknown): TroupeError {
  try {
    work();
  } catch (error) {
    if (error instanceof TroupeError) return error;
    throw error;
  }
  throw new Error("Expected a TroupeError, got none.");
}
