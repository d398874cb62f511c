// Stands between the runtime and its scheduler where a box has several models: says who was given a lease, what was
// commanded of models and what was reported of them. Who comes before whom is asked in worlds with one lane alone, by
// the umpire.

import type { LaneView } from "../../src/core/box-api.ts";
import type { ResidencyReport, Scheduler, SchedulerSignal } from "../../src/scheduler/scheduler.ts";
import type { Fact } from "./facts.ts";
import { laneKey } from "./model-book.ts";
import { overheard } from "./overheard.ts";

type Held = Pick<LaneView, "backend" | "profile"> & { readonly taskId: string };

export class Bystander {
  readonly #tell: (fact: Fact) => void;
  #leases: ReadonlyMap<string, Held> = new Map();
  #places: ReadonlySet<string> = new Set();
  #residencies: ReadonlyMap<string, LaneView["residency"]> = new Map();

  constructor(tell: (fact: Fact) => void) {
    this.#tell = tell;
  }

  /** The scheduler as the runtime sees it. */
  watch(scheduler: Scheduler): Scheduler {
    return overheard(scheduler, {
      before: (command, argument) => {
        if (command === "setResidency") this.#tell({ kind: "reported", ...(argument as ResidencyReport) });
      },
      after: (command, argument, inner) => this.#after(command, argument, inner.lanes()),
    });
  }

  /** What the scheduler tells the runtime, just before the runtime hears of it. */
  signalled(signal: SchedulerSignal): void {
    if (signal.type !== "load" && signal.type !== "unload") return;
    const { type: what, backend, profile } = signal;
    this.#tell({ kind: "commanded", what, backend, profile });
  }

  #after(name: string, argument: unknown, lanes: readonly LaneView[]): void {
    const before = this.#leases;
    const held = lanes.flatMap(({ leases, backend, profile }) =>
      leases.map(({ leaseId, taskId }) => [leaseId, { taskId, backend, profile }] as const),
    );
    this.#leases = new Map(held);
    const residencies = new Map(lanes.map((lane) => [laneKey(lane), lane.residency]));
    for (const [leaseId, { taskId, ...lane }] of this.#leases) {
      if (before.has(leaseId)) continue;
      // What is opened again, or is to go from now on only, may serve.
      const [was, is] = [this.#residencies, residencies].map((each) => each.get(laneKey(lane)));
      this.#tell({
        kind: "lease",
        taskId,
        held: true,
        lane,
        isToGo: was === "draining" && is === "draining",
      });
    }
    for (const [leaseId, { taskId }] of before)
      if (!this.#leases.has(leaseId)) this.#tell({ kind: "lease", taskId, held: false });
    this.#residencies = residencies;
    const places = new Set(lanes.flatMap((lane) => lane.places));
    for (const taskId of places) if (!this.#places.has(taskId)) this.#tell({ kind: "placed", taskId });
    this.#places = places;
    this.#givenBack(name, argument, lanes);
  }

  #givenBack(name: string, argument: unknown, lanes: readonly LaneView[]): void {
    const isKept =
      (name === "release" && this.#leases.has(argument as string)) ||
      (name === "park" && this.#places.has(argument as string)) ||
      (name === "end" && lanes.some((lane) => isIn(lane, argument as string)));
    if (!isKept) return;
    const complaint = `after ${name} of ${String(argument)} the scheduler still has it`;
    this.#tell({ kind: "umpired", rule: "what is given back is gone", complaint });
  }
}

function isIn({ leases, places, waiting }: LaneView, taskId: string): boolean {
  return places.includes(taskId) || [...leases, ...waiting].some((each) => each.taskId === taskId);
}
