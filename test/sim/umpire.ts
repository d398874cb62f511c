// Stands between the runtime and its scheduler and watches every command: who was given what, in which order, and whom
// patience stopped. It changes nothing; what breaks a rule is told as a fact. It looks at lanes from outside and keeps
// its own order, because a scheduler that is wrong shows its wrong order too.

import type { LaneView } from "../../src/core/box-api.ts";
import type {
  AdmitRequest,
  GenerationSample,
  LeaseRequest,
  Scheduler,
  SchedulerSignal,
} from "../../src/scheduler/scheduler.ts";
import { BYPASS_LIMIT } from "../../src/scheduler/queue.ts";
import { overheard } from "./overheard.ts";
import { TurnsOfParents } from "./parents.ts";
import {
  isForLease,
  isForPlace,
  isFront,
  isNewcomer,
  mayGoAhead,
  type Admission,
  type LeaseFact,
  type Standing,
  type Turn,
} from "./standing.ts";

export type Rule =
  | "leases are given in order"
  | "the stopped go first"
  | "patience stops one for one"
  | "patience has an end"
  | "nobody's own word is stopped"
  | "a pause holds"
  | "parents take turns"
  | "what is given back is gone"
  | "the stopped let go";

export type UmpireFact =
  | { readonly kind: "umpired"; readonly rule: Rule; readonly complaint: string }
  | LeaseFact
  /** A task was given a place. */
  | { readonly kind: "placed"; readonly taskId: string };

export interface UmpireOptions {
  readonly now: () => number;
  readonly patienceMs: number;
  readonly cancelDeadlineMs: number;
  readonly tell: (fact: UmpireFact) => void;
}

const EMPTY: LaneView = {
  backend: "",
  profile: "",
  provider: "",
  gpu: null,
  residency: null,
  slots: 0,
  slotsAuto: false,
  slotsReason: null,
  maxChildren: 0,
  leases: [],
  places: [],
  waiting: [],
};

export class Umpire {
  readonly #options: UmpireOptions;
  readonly #admitted = new Map<string, Admission>();
  readonly #turns = new Map<string, Turn>();
  /** Tasks whose generation was stopped and who have not asked again. */
  readonly #stopped = new Set<string>();
  /** Leases that were asked to stop, since when. */
  readonly #stops = new Map<string, number>();
  /** Since when a person's turn has waited for a lease. */
  readonly #patient = new Map<string, number>();
  readonly #parents = new TurnsOfParents();
  #lane: LaneView = EMPTY;
  #overdueSince: number | null = null;
  #paused = false;
  #asked = 0;
  #admissions = 0;
  #given = 0;
  /** The most persons' turns that waited at this time. */
  #most = { at: -1, count: 0 };

  constructor(options: UmpireOptions) {
    this.#options = options;
  }

  /** The scheduler as the runtime sees it. */
  watch(scheduler: Scheduler): Scheduler {
    return overheard(scheduler, {
      before: (command, argument) => this.#before(command, argument),
      after: (command, argument, inner) => this.#after(command, argument, inner.lanes()[0] ?? EMPTY),
    });
  }

  /** What the scheduler tells the runtime, just before the runtime hears of it. */
  signalled(signal: SchedulerSignal): void {
    if (signal.type === "admitted") {
      const task = this.#admitted.get(signal.taskId);
      if (task) Object.assign(task, { done: true, as: this.#admissions++ });
    }
    if (signal.type !== "preempt") return;
    const { leaseId, taskId, by } = signal;
    this.#stops.set(leaseId, this.#options.now());
    this.#stopped.add(taskId);
    const lease = this.#lane.leases.find((each) => each.leaseId === leaseId);
    const isPersons = lease?.class === "interactive" && (this.#isSession(taskId) || !this.#isSession(by));
    if (isPersons) this.#complain("nobody's own word is stopped", `${taskId} was stopped for ${by}`);
    if (this.#stops.size > this.#most.count) {
      const waiting = `${this.#most.count} persons wait`;
      this.#complain(
        "patience stops one for one",
        `${this.#stops.size} generations are stopped, and ${waiting}`,
      );
    }
  }

  #before(name: string, argument: unknown): void {
    if (name === "admit") {
      const request = argument as AdmitRequest;
      if (!this.#admitted.has(request.taskId)) {
        const isParked = request.returning === "parked";
        this.#admitted.set(request.taskId, {
          ...request,
          done: isParked,
          as: isParked ? this.#admissions++ : 0,
        });
      }
    }
    if (name === "observe") this.#parents.measure(argument as GenerationSample);
    if (name === "pause") this.#paused = argument as boolean;
    if (name === "requestLease") this.#ask(argument as LeaseRequest);
  }

  #ask({ taskId, front }: LeaseRequest): void {
    const holds = this.#lane.leases.some((each) => each.taskId === taskId);
    if (this.#turns.has(taskId) || holds) return;
    this.#turns.set(taskId, { front: front ?? false, order: this.#asked++, given: this.#given });
    const isOwed = this.#stopped.delete(taskId);
    const task = this.#admitted.get(taskId);
    const mayGoFirst = isOwed || task?.returning === "live";
    if (front === true && !mayGoFirst) {
      this.#complain("the stopped go first", `${taskId} goes first, and nobody had stopped it`);
    }
    // A session may have been stopped by its person meanwhile.
    if (front !== true && isOwed && !this.#isSession(taskId)) {
      this.#complain("the stopped go first", `${taskId} was stopped, and asks like a newcomer`);
    }
  }

  #after(name: string, argument: unknown, lane: LaneView): void {
    const before = this.#lane;
    this.#lane = lane;
    this.#givenBack(name, argument, lane);
    this.#leases(before, lane);
    this.#places(before, lane);
    this.#patience(lane);
  }

  #givenBack(name: string, argument: unknown, { leases, places, waiting }: LaneView): void {
    if (name === "release") {
      if (leases.some(({ leaseId }) => leaseId === argument)) this.#kept(name, String(argument));
      return;
    }
    if (name !== "withdraw" && name !== "park" && name !== "end") return;
    const taskId = argument as string;
    this.#turns.delete(taskId);
    const isIn = (list: readonly { readonly taskId: string }[]): boolean =>
      list.some((each) => each.taskId === taskId);
    const isWaiting = isIn(waiting) && (name === "end" || this.#admitted.get(taskId)?.done === true);
    const hasPlace = name !== "withdraw" && places.includes(taskId);
    if (isWaiting || hasPlace || (name === "end" && isIn(leases))) this.#kept(name, taskId);
    if (name === "end") this.#admitted.delete(taskId);
  }

  #leases(before: LaneView, after: LaneView): void {
    const held = new Set(before.leases.map(({ leaseId }) => leaseId));
    for (const { taskId, leaseId, class: schedulingClass } of after.leases) {
      if (held.delete(leaseId)) continue;
      this.#granted(taskId, schedulingClass, before);
      this.#given++;
      this.#turns.delete(taskId);
      this.#options.tell({ kind: "lease", taskId, held: true });
    }
    for (const { leaseId, taskId } of before.leases) {
      if (!held.has(leaseId)) continue;
      this.#stops.delete(leaseId);
      this.#options.tell({ kind: "lease", taskId, held: false });
    }
    for (const [leaseId, since] of this.#stops) {
      if (this.#options.now() - since <= this.#options.cancelDeadlineMs + 1) continue;
      this.#complain("the stopped let go", `${leaseId} was to stop ${this.#options.now() - since} ms ago`);
    }
  }

  /** Nobody of the same class that waited before and still waits may go before it. */
  #granted(taskId: string, schedulingClass: string, before: LaneView): void {
    const mine = this.#turns.get(taskId);
    if (!mine) return;
    const waited = new Set(before.waiting.filter(isForLease).map((each) => each.taskId));
    for (const each of this.#lane.waiting) {
      const theirs = this.#turns.get(each.taskId);
      if (!isForLease(each) || each.class !== schedulingClass || !theirs || !waited.has(each.taskId))
        continue;
      // Whoever was passed over too often goes before everybody: nobody starves.
      const isOverdue = this.#given - mine.given >= BYPASS_LIMIT;
      const isFirst = isFront(this.#standing(taskId), schedulingClass);
      const areFirst = isFront(this.#standing(each.taskId), schedulingClass);
      if (areFirst && !isFirst && !isOverdue) {
        this.#complain(
          "the stopped go first",
          `${taskId} got a lease before ${each.taskId}, which was stopped`,
        );
      } else if (
        areFirst === isFirst &&
        theirs.order < mine.order &&
        !mayGoAhead(this.#standing(taskId), this.#standing(each.taskId), schedulingClass)
      ) {
        this.#complain("leases are given in order", `${taskId} got a lease before ${each.taskId}`);
      }
    }
  }

  #standing(taskId: string): Standing {
    return { task: this.#admitted.get(taskId), turn: this.#turns.get(taskId) };
  }

  #places(before: LaneView, after: LaneView): void {
    const had = new Set(before.places);
    const served: { readonly parent: string; readonly class: string }[] = [];
    for (const taskId of after.places) {
      const task = this.#admitted.get(taskId);
      if (!had.has(taskId)) this.#options.tell({ kind: "placed", taskId });
      if (had.has(taskId) || !isNewcomer(task)) continue;
      if (this.#paused) this.#complain("a pause holds", `${taskId} is let in while the box is paused`);
      const waited = before.waiting.find((each) => each.taskId === taskId);
      served.push({ parent: task.parentId ?? "", class: waited?.class ?? task.class });
    }
    const waiting = after.waiting.flatMap((each) => {
      const task = this.#admitted.get(each.taskId);
      return isNewcomer(task) && isForPlace(each) ? [{ parent: task.parentId ?? "", class: each.class }] : [];
    });
    const passed = this.#parents.note(served, waiting, after.maxChildren);
    if (passed !== null) this.#complain("parents take turns", passed);
  }

  #patience(lane: LaneView): void {
    const now = this.#options.now();
    const persons = lane.waiting.filter((each) => isForLease(each) && each.class === "interactive");
    const names = new Set(persons.map(({ taskId }) => taskId));
    for (const taskId of this.#patient.keys()) if (!names.has(taskId)) this.#patient.delete(taskId);
    for (const taskId of names) if (!this.#patient.has(taskId)) this.#patient.set(taskId, now);
    if (this.#most.at !== now) this.#most = { at: now, count: 0 };
    this.#most.count = Math.max(this.#most.count, persons.length);
    const late = [...this.#patient.values()].filter(
      (since) => now - since > this.#options.patienceMs + 1,
    ).length;
    const free = lane.leases.find(
      ({ leaseId, class: held }) => held !== "interactive" && !this.#stops.has(leaseId),
    );
    if (late <= this.#stops.size || !free) {
      this.#overdueSince = null;
      return;
    }
    // Whom patience stops for it is told a moment later.
    this.#overdueSince ??= now;
    if (now - this.#overdueSince <= 1) return;
    this.#complain("patience has an end", `${late} persons have waited too long, and ${free.taskId} goes on`);
  }

  #isSession(taskId: string): boolean {
    return this.#admitted.get(taskId)?.needsPlace === false;
  }

  #kept(name: string, what: string): void {
    this.#complain("what is given back is gone", `after ${name} of ${what} the scheduler still has it`);
  }

  #complain(rule: Rule, complaint: string): void {
    this.#options.tell({ kind: "umpired", rule, complaint });
  }
}
