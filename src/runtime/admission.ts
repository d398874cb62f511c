// From a task's spec to a place in the scheduler's queue. Room is asked for before a task is stored, so that a full
// queue refuses it with nothing left behind.
// A1. What was told that there is room, and is not admitted yet, counts for whoever asks next.

import type { Settings } from "../core/settings.ts";
import { profileKey } from "../core/load-profile.ts";
import type { ModelRef, TaskSpec } from "../core/task.ts";
import type { AdmitRequest, LaneName, MoveTarget, Scheduler } from "../scheduler/scheduler.ts";
import { equalPlaces, type Running } from "./equal-places.ts";
import type { Residency } from "./residency.ts";

type Profiles = Pick<Residency, "profileOf" | "sizeOf">;

/** Where a model's turns wait: its backend, and what is loaded there for it. */
function laneOf(model: ModelRef, residency: Profiles): LaneName {
  const profile = residency.profileOf(model);
  const loaded = profile && { profile: profileKey(profile), sizeBytes: residency.sizeOf(profile) };
  return { backend: model.backend, ...loaded };
}

/** Where a task's turns wait, and where they would be served alike. */
export function lanesOf(
  spec: TaskSpec,
  at: Running,
  { settings, residency }: { readonly settings: Settings; readonly residency: Profiles },
): MoveTarget {
  const alternatives = equalPlaces(spec, at, settings).map((ref) => laneOf(ref, residency));
  return { ...laneOf(at.model, residency), ...(alternatives.length > 0 && { alternatives }) };
}

export class Admission {
  readonly #scheduler: Pick<Scheduler, "admit" | "checkRoom">;
  readonly #settings: Settings;
  readonly #residency: Profiles;
  /** Told that there is room; not admitted yet (A1). */
  readonly #promised = new Map<string, AdmitRequest>();

  constructor(scheduler: Pick<Scheduler, "admit" | "checkRoom">, settings: Settings, residency: Profiles) {
    this.#scheduler = scheduler;
    this.#settings = settings;
    this.#residency = residency;
  }

  /** `at` is where it runs now. Throws as `Scheduler.admit` does. */
  admit(spec: TaskSpec, at: Running, returning?: AdmitRequest["returning"]): void {
    // Whoever was not told just now that there is room was accepted before, and is not refused for it.
    const isNew = this.#promised.delete(spec.id) && returning === undefined;
    const request = this.#requestOf(spec, at);
    this.#scheduler.admit(isNew ? request : { ...request, returning: returning ?? "queued" });
  }

  /**
   * Stores these tasks by `work`, which ends when they are claimed.
   * Contract: throws LimitError `queue_full`, before `work` begins, unless there is room for all of them.
   */
  async during<T>(specs: readonly TaskSpec[], work: () => Promise<T>): Promise<T> {
    const requests = specs.map((spec) => this.#requestOf(spec));
    this.#scheduler.checkRoom(requests, this.#promised);
    for (const request of requests) this.#promised.set(request.taskId, request);
    try {
      return await work();
    } finally {
      // Those that could not be stored, or not be claimed yet, hold nobody up.
      for (const { taskId } of requests) this.#promised.delete(taskId);
    }
  }

  #requestOf(spec: TaskSpec, at: Running = { model: spec.model, reroutes: [] }): AdmitRequest {
    const { agents, delegation } = this.#settings;
    const limit = agents.find((each) => each.name === spec.agent.name)?.concurrencyLimit ?? null;
    return {
      taskId: spec.id,
      parentId: spec.parentId,
      parentSlots: delegation.maxConcurrentChildren,
      ...lanesOf(spec, at, { settings: this.#settings, residency: this.#residency }),
      class: spec.schedulingClass,
      needsPlace: spec.kind === "task",
      ...(limit !== null && { agentLimit: { key: spec.agent.name, limit } }),
    };
  }
}
