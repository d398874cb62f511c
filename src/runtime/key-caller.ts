// What a task tells the pool of its provider's keys: who asks, how long it has, and where to say that a key changed.

import type { TaskSpec } from "../core/task.ts";
import type { Phase, State } from "../core/lifecycle.ts";
import type { Clock } from "../base/clock.ts";
import type { Journal } from "./journal.ts";
import type { KeyCaller } from "./keyed-provider.ts";
import type { Pauses } from "./pauses.ts";

/** Where a task is that still wants its key: in the pause, or on its way to the generation. */
const COMES_BACK: ReadonlySet<Phase | null> = new Set<Phase>(["backing_off", "waiting_slot", "generating"]);

/** What is needed of the task that generates. */
export interface CallingHost {
  readonly spec: TaskSpec;
  readonly services: { readonly clock: Clock; redact(text: string): string };
  readonly journal: Pick<Journal, "event">;
  readonly ending: boolean;
  readonly words: { readonly state: State; readonly phase: Phase | null };
  readonly pauses: Pick<Pauses, "hurry">;
}

export function keyCallerOf(host: CallingHost): KeyCaller {
  const { spec, services, journal } = host;
  const { deadlineMs } = spec.limits;
  return {
    conversation: spec.id,
    deadlineLeftMs: () =>
      deadlineMs === null ? null : Math.max(0, spec.createdAt + deadlineMs - services.clock.now()),
    rotated: (rotation) =>
      journal.event({
        type: "credential.rotated",
        data: { ...rotation, message: services.redact(rotation.message) },
      }),
    wake: () => {
      const { state, phase } = host.words;
      if (host.ending || !(state === "steering" || COMES_BACK.has(phase))) return false;
      host.pauses.hurry();
      return true;
    },
  };
}
