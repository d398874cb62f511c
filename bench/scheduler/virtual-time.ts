// Moves a virtual clock until a play is over: hours in seconds.

import { settle } from "../../src/base/clock.ts";
import type { WorldClock } from "../../test/sim/clock.ts";

export interface VirtualTimeOptions {
  readonly clock: WorldClock;
  /** After so much virtual time a play that is not over is taken for one that never will be. */
  readonly limitMs: number;
}

/**
 * Fires timers in order, and lets every promise settle after each, until `over` resolves.
 * Contract: resolves `false` when no timer is left or the limit has passed; rejects with what `over` rejects with.
 */
export async function untilOver(
  over: Promise<void>,
  { clock, limitMs }: VirtualTimeOptions,
): Promise<boolean> {
  const state = { over: false, failed: false };
  over.then(
    () => {
      state.over = true;
    },
    () => {
      state.failed = true;
    },
  );
  await settle();
  while (!state.over && !state.failed && clock.nextDue !== null && clock.monotonic() <= limitMs) {
    clock.fire();
    await settle();
  }
  if (state.failed) await over;
  return state.over;
}
