// What a task tells the pool of its provider's keys: who asks, how long it has, and where to say that a key changed.

import type { TaskSpec } from "../core/task.ts";
import type { Clock } from "../base/clock.ts";
import type { Journal } from "./journal.ts";
import type { KeyCaller } from "./keyed-provider.ts";
import type { Pauses } from "./pauses.ts";

/** What is needed of the task that generates. */
export interface CallingHost {
  readonly spec: TaskSpec;
  readonly services: { readonly clock: Clock; redact(text: string): string };
  readonly journal: Pick<Journal, "event">;
  readonly ending: boolean;
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
      if (!host.ending) host.pauses.hurry();
    },
  };
}
