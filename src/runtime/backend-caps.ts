// What the scheduler is told of a backend, from the settings. Pure.

import type { BackendSettings, Settings } from "../core/settings.ts";
import type { BackendCaps } from "../scheduler/scheduler.ts";

/** So many may wait for it as the settings say. */
export function capsOf(backend: BackendSettings, { maxQueued }: Pick<Settings, "maxQueued">): BackendCaps {
  const { name, provider, gpu, slots, maxChildren, residency, autoSlots, autoChildren } = backend;
  return {
    backend: name,
    provider,
    gpu,
    slots,
    maxChildren,
    maxQueued,
    ...(residency && { residency }),
    ...(autoSlots && { autoSlots }),
    ...(autoChildren && { autoChildren }),
  };
}
