// Where learnt caps meet the gates: each lane of a backend with `autoSlots` or `autoChildren` learns from its own
// generations, since what a model bears is the model's own. A cap only decides who is let in from now on (S1).

import { nextCap } from "./adaptive-cap.ts";
import { createCap, withMost } from "./adaptive-state.ts";
import { createWarm, nextWarm } from "./adaptive-warm.ts";
import { drain, type Step } from "./flow.ts";
import type { GenerationSample } from "./scheduler.ts";
import type { Lane } from "./state.ts";

/** Sets the limits of a lane whose backend's caps are new to it; what was learnt under the old ones is kept. */
export function limit(lane: Lane): void {
  const { slots, maxChildren, autoSlots, autoChildren } = lane.backend.caps;
  if (autoSlots === undefined) lane.cap = null;
  else lane.cap = lane.cap === null ? createCap(slots, autoSlots.most) : withMost(lane.cap, autoSlots.most);
  const most = autoChildren && Math.max(autoChildren.most, lane.cap?.most ?? slots);
  if (most === undefined) lane.warm = null;
  else lane.warm = lane.warm?.most === most ? lane.warm : createWarm(maxChildren, most);
  apply(lane);
}

/** What one generation teaches about its lane; returns the lane if that may have let somebody in. */
export function observe(step: Step, sample: GenerationSample): Iterable<Lane> {
  const lane = step.state.backends.get(sample.backend)?.lanes.get(sample.profile);
  if (lane === undefined) return [];
  if (lane.cap !== null) lane.cap = nextCap(lane.cap, sample, step.now);
  const cap = lane.cap?.cap ?? lane.backend.caps.slots;
  if (lane.warm !== null) lane.warm = nextWarm(lane.warm, { sample, cap, now: step.now });
  apply(lane);
  // Both limits first: who gets a place here may go straight on to a lease (S1).
  drain(step, lane.places);
  drain(step, lane.leases);
  return [lane];
}

function apply(lane: Lane): void {
  const { slots, maxChildren } = lane.backend.caps;
  lane.leases.limit = lane.cap?.cap ?? slots;
  lane.places.limit = lane.warm?.warm ?? maxChildren;
}
