// Looks with every heartbeat for what the scheduler holds for nobody: the slot, place or lease of a task that does not
// live here, a lease that its task has let go of, the place of a task that is parked. By the invariants of scheduler
// and host there is none; one that is found is a defect, and is told as an error, but it must not take a GPU away
// until somebody starts the server again.
// R1. Only what two looks in a row found is given back: between a decision and its signal nobody owns a lease.
// R2. A task that ends keeps what it has until its end is in the store, however long that takes.
// Processes are not looked for: no toolset starts any yet. One that does adds its own kind of leak to `leaksIn`.

import type { Logger } from "../base/log.ts";
import type { Holding, Scheduler } from "../scheduler/scheduler.ts";

/** What a living task says of itself. */
export interface Holder {
  readonly ending: boolean;
  readonly leases: {
    owns(leaseId: string): boolean;
    readonly parked: boolean;
  };
}

export interface Leak {
  readonly taskId: string;
  /** `task`: all that is held for it; `lease` and `place`: that alone. */
  readonly what: "task" | "lease" | "place";
  readonly leaseId: string | null;
}

/** What is held for nobody; pure. */
export function leaksIn(
  holdings: readonly Holding[],
  holderOf: (taskId: string) => Holder | undefined,
): readonly Leak[] {
  const leaks: Leak[] = [];
  for (const { taskId, leaseId, place } of holdings) {
    const holder = holderOf(taskId);
    if (!holder) leaks.push({ taskId, what: "task", leaseId });
    // Keeps R2.
    else if (holder.ending) continue;
    else if (leaseId !== null && !holder.leases.owns(leaseId)) leaks.push({ taskId, what: "lease", leaseId });
    else if (leaseId === null && place && holder.leases.parked)
      leaks.push({ taskId, what: "place", leaseId });
  }
  return leaks;
}

export interface ReaperOptions {
  readonly scheduler: Pick<Scheduler, "holders" | "release" | "park" | "end">;
  readonly logger: Logger;
  /** The host of a task that lives here. */
  readonly holderOf: (taskId: string) => Holder | undefined;
}

export class Reaper {
  readonly #options: ReaperOptions;
  /** What the last look found. */
  #suspects: ReadonlySet<string> = new Set();

  constructor(options: ReaperOptions) {
    this.#options = options;
  }

  /** Looks once, gives back what the look before found too (R1), and says what that was. Never throws. */
  look(): readonly Leak[] {
    const { scheduler, holderOf } = this.#options;
    const leaks = leaksIn(scheduler.holders(), holderOf);
    const reaped = leaks.filter((leak) => this.#suspects.has(nameOf(leak)));
    this.#suspects = new Set(leaks.map(nameOf));
    for (const leak of reaped) this.#giveBack(leak);
    return reaped;
  }

  #giveBack({ taskId, what, leaseId }: Leak): void {
    const { scheduler, logger } = this.#options;
    logger.error("the scheduler held something for nobody; it was given back", {
      task: taskId,
      what,
      ...(leaseId !== null && { lease: leaseId }),
    });
    if (what === "task") scheduler.end(taskId);
    else if (what === "lease" && leaseId !== null) scheduler.release(leaseId);
    else scheduler.park(taskId);
  }
}

function nameOf({ taskId, what, leaseId }: Leak): string {
  return `${what} ${taskId} ${leaseId ?? ""}`;
}
