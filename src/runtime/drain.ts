// A box that stops by itself: what is under way may end, and nothing new begins (the household sees to that).

import { delay, type Clock } from "../base/clock.ts";

/** How often it is looked whether anything is still under way. */
const LOOK_MS = 20;
/** What storing has at least, however little of the grace is left. */
const LEAST_MS = 1_000;

/** What drains. */
export interface DrainingHost {
  /** Whether it generates, runs a tool, or is being made ready. */
  readonly isActive: boolean;
  /** Its turn is ready and waits: it waits in the store from now on. */
  readonly leases: { withdraw(): void };
  /** Resolves when what it wrote is in the store, or cannot be. */
  settle(): Promise<void>;
}

export interface DrainOptions {
  readonly clock: Clock;
  /** Those that live now; none once the box is closed. */
  readonly hosts: () => readonly DrainingHost[];
  readonly graceMs: number;
}

/** Resolves when nothing is under way any more and all of it is stored, or after the grace. Never rejects. */
export async function drain({ clock, hosts, graceMs }: DrainOptions): Promise<void> {
  for (const host of hosts()) host.leases.withdraw();
  const until = clock.monotonic() + graceMs;
  while (clock.monotonic() < until && hosts().some((host) => host.isActive))
    await delay(clock, Math.min(LOOK_MS, until - clock.monotonic()));
  // A store that is away must not keep the box from stopping: what it has is enough to go on from.
  const stored = Promise.allSettled(hosts().map((host) => host.settle()));
  const enough = new AbortController();
  const patience = delay(clock, Math.max(LEAST_MS, until - clock.monotonic()), enough.signal);
  await Promise.race([stored, patience]);
  enough.abort();
  await patience.catch(() => {});
}
