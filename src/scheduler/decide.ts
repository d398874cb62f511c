// The deterministic core of the scheduler: one command, at one time, to signals. The state is changed in place (a
// copy of 10,000 waiting tasks for each decision would cost more than the decision); the same state, command and
// time still give the same state and the same signals, and replaying a log of commands replays every decision (S5).
// No clock, no timer, no randomness. A command that throws has changed nothing.
//
// S1-S6 are declared in scheduler.ts; gate.ts keeps S1, queue.ts S4, flow.ts S2 and S6, the map of leases S3.

import { higherClass, type SchedulingClass } from "../core/lifecycle.ts";
import { InternalError } from "../base/errors.ts";
import { equalsOf, laneFor, pause, setAway, setBackend, setResidency } from "./backends.ts";
import {
  accountOf,
  ask,
  countAdmitted,
  drain,
  endLease,
  enter,
  expectNoMore,
  quit,
  reclass,
  withdraw,
  type Step,
} from "./flow.ts";
import { observe } from "./learning.ts";
import { move } from "./move.ts";
import { forgetStops, preempt } from "./patience.ts";
import { gpuMsOf } from "./shares.ts";
import { noteGeneration } from "./roamers.ts";
import { settle } from "./settle.ts";
import { spread } from "./spread.ts";
import { backendFor, refuseAdmission } from "./room.ts";
import type {
  AdmitRequest,
  BackendCaps,
  GenerationSample,
  LeaseRequest,
  MoveTarget,
  ResidencyReport,
} from "./scheduler.ts";
import {
  createAgentGate,
  createParent,
  lanesOf,
  type Backend,
  type Effect,
  type Lane,
  type Parent,
  type SchedulerState,
  type TaskEntry,
  type TaskGate,
} from "./state.ts";

/** Plain data, so that a log of them can be kept and replayed. */
export type Command =
  | { readonly type: "set_backend"; readonly caps: BackendCaps }
  | { readonly type: "set_away"; readonly backend: string; readonly away: boolean }
  | { readonly type: "admit"; readonly request: AdmitRequest }
  | { readonly type: "request_lease"; readonly request: LeaseRequest }
  | { readonly type: "release"; readonly leaseId: string }
  | { readonly type: "withdraw"; readonly taskId: string }
  | { readonly type: "park"; readonly taskId: string }
  | { readonly type: "move"; readonly taskId: string; readonly to: MoveTarget }
  | { readonly type: "set_class"; readonly taskId: string; readonly class: SchedulingClass }
  | { readonly type: "end"; readonly taskId: string }
  | { readonly type: "pause"; readonly paused: boolean }
  | { readonly type: "set_residency"; readonly report: ResidencyReport }
  | { readonly type: "observe"; readonly sample: GenerationSample }
  /** Time has passed; patience may be over. */
  | { readonly type: "tick" };

/**
 * Applies the command at `now` (monotonic milliseconds, never less than before) and returns what it caused, in order.
 * Contract: throws LimitError `queue_full`, ConfigError `unknown_backend` or `residency_fixed`, InternalError `not_admitted` or
 * `lease_held`, each before anything was changed.
 */
export function decide(state: SchedulerState, command: Command, now: number): readonly Effect[] {
  const step: Step = { state, now, effects: [] };
  const backends = new Set<Backend>();
  const went = new Set<TaskEntry>();
  let changed = [...apply(step, command), ...spread(step, went)];
  // What is loaded may follow from who has come or gone, and who goes from what is there.
  do {
    const unsettled = new Set(changed.map(({ backend }) => backend));
    for (const backend of unsettled) {
      settle(step, backend);
      backends.add(backend);
    }
    changed = [...spread(step, went)];
  } while (changed.length > 0);
  for (const backend of backends)
    for (const lane of backend.lanes.values()) step.effects.push(...preempt(lane, now));
  return step.effects;
}

/** Returns the lanes whose backends may now have to load or unload, or have a turn that is out of patience. */
function apply(step: Step, command: Command): Iterable<Lane> {
  const { state } = step;
  switch (command.type) {
    case "set_backend":
      return setBackend(step, command.caps);
    case "set_away":
      return setAway(step, command);
    case "admit":
      return admit(step, command.request);
    case "pause":
      return pause(step, command.paused);
    case "tick":
      return [...lanesOf(state)];
    case "set_residency":
      return setResidency(step, command.report);
    case "observe":
      charge(step, command.sample);
      return observe(step, command.sample);
    case "release": {
      const task = state.leases.get(command.leaseId);
      return task === undefined ? [] : release(step, task);
    }
    case "request_lease": {
      const task = state.tasks.get(command.request.taskId);
      return task === undefined ? [] : requestLease(step, task, command.request);
    }
    default: {
      const task = state.tasks.get(command.taskId);
      if (task === undefined) return [];
      if (command.type === "move") return move(step, task, command.to);
      if (command.type === "set_class") setClass(step, task, command.class);
      else if (command.type === "park") park(step, task);
      else if (command.type === "end") end(step, task);
      else if (task.ask?.kind === "turn") withdraw(task);
      return [task.lane];
    }
  }
}

/** What a generation cost goes to its parent's account on the lane where it ran. */
function charge({ state, now }: Step, sample: GenerationSample): void {
  const lane = state.backends.get(sample.backend)?.lanes.get(sample.profile);
  if (lane === undefined) return;
  const task = state.tasks.get(sample.taskId);
  noteGeneration(lane, { task: task?.lane === lane ? task : null, sample }, now);
  const account = accountOf(sample);
  lane.shares.spend(account, gpuMsOf(sample), task?.lane === lane ? task : null);
  lane.places.queue.due(account);
}

/** A task that is known is not admitted again; its request still carries the newest figure of child slots. */
function admit(step: Step, request: AdmitRequest): Iterable<Lane> {
  const { state } = step;
  const known = state.tasks.get(request.taskId);
  if (known !== undefined) {
    setLimit(step, known.parent.slots, request.parentSlots);
    return [];
  }
  const { returning } = request;
  backendFor(state, request.backend);
  if (returning === undefined) refuseAdmission(state, request);
  for (const { backend } of request.alternatives ?? []) backendFor(state, backend);
  const lane = laneFor(state, request);
  const equals = equalsOf(state, lane, request);
  const parent = parentFor(step, request);
  const agent = agentGateFor(step, parent, request);
  const task: TaskEntry = {
    taskId: request.taskId,
    parentId: request.parentId,
    needsPlace: request.needsPlace,
    lane,
    parent,
    agent,
    agentKey: request.agentLimit?.key ?? null,
    returning: returning === "live" || returning === "parked",
    admitted: false,
    admittedAs: 0,
    prepaidMs: null,
    spentMs: 0,
    floor: null,
    ask: null,
    gate: null,
    lease: null,
    betweenSince: null,
    stops: 0,
    equals,
    readMs: 0,
  };
  state.tasks.set(task.taskId, task);
  parent.children++;
  if (task.returning) holdOwn(task);
  enter(task, lane);
  if (returning === "parked") countAdmitted(task);
  if (returning === "parked") return [lane];
  ask(step, task, { kind: "admission", class: request.class });
  return [lane];
}

/** What it held when the server stopped was never given back, so no cap that is lower now takes it away. */
function holdOwn(task: TaskEntry): void {
  task.agent?.hold(task);
  if (task.parentId !== null) task.parent.slots.hold(task);
}

/** A parked task goes for its place first, on the levels above new children; then, like any other, for the lease. */
function requestLease(step: Step, task: TaskEntry, request: LeaseRequest): Iterable<Lane> {
  const { lane } = task;
  if (!task.admitted) {
    throw new InternalError(
      "not_admitted",
      `Expected task ${task.taskId} to be admitted before it asks for a lease, but it still waits to be; ask after its \`admitted\` signal.`,
    );
  }
  if (task.lease !== null) return [];
  const schedulingClass = higherOf(request.class, task.floor);
  if (task.ask !== null) {
    reclass(step, task.ask, schedulingClass);
    return [lane];
  }
  ask(step, task, { kind: "turn", class: schedulingClass, front: request.front ?? false });
  return [lane];
}

/** Found through the map of leases, so that an id works once (S3). */
function release(step: Step, task: TaskEntry): Iterable<Lane> {
  endLease(step, task);
  drain(step, task.lane.leases);
  return [task.lane];
}

/** Refused with a lease in hand: giving it back here would hide a generation that still runs (S1, S2). */
function park(step: Step, task: TaskEntry): void {
  if (!task.admitted) return;
  if (task.lease !== null) {
    throw new InternalError(
      "lease_held",
      `Expected task ${task.taskId} to hold no lease when it parks (S2), but it holds ${task.lease.leaseId}; release it first.`,
    );
  }
  withdraw(task);
  expectNoMore(task);
  forgetStops(task);
  if (task.lane.places.free(task)) drain(step, task.lane.places);
}

function setClass(step: Step, task: TaskEntry, schedulingClass: SchedulingClass): void {
  task.floor = schedulingClass;
  if (task.ask !== null) reclass(step, task.ask, schedulingClass);
}

/** From any state; afterwards nothing of the task is left. */
function end(step: Step, task: TaskEntry): void {
  const { state } = step;
  const { lane, parent, agent } = task;
  withdraw(task);
  state.tasks.delete(task.taskId);
  endLease(step, task);
  forgetStops(task);
  expectNoMore(task);
  // Everything is given back before anything is handed on, and the outermost gate first: whoever gets the child slot
  // then stands in line for the place like the others.
  quit(task);
  const gates = [agent, parent.slots, lane.places, lane.doors];
  for (const gate of gates) gate?.free(task);
  for (const gate of [...gates, lane.leases]) if (gate !== null) drain(step, gate);
  if (agent?.idle === true && task.agentKey !== null) parent.agents.delete(task.agentKey);
  parent.children--;
  if (parent.children === 0) state.parents.delete(parent.parentId);
}

function parentFor(step: Step, request: AdmitRequest): Parent {
  const { parents } = step.state;
  const parent = parents.get(request.parentId) ?? createParent(request.parentId);
  parents.set(request.parentId, parent);
  setLimit(step, parent.slots, request.parentSlots);
  return parent;
}

function agentGateFor(step: Step, parent: Parent, request: AdmitRequest): TaskGate | null {
  if (request.agentLimit === undefined) return null;
  const { key, limit } = request.agentLimit;
  const gate = parent.agents.get(key) ?? createAgentGate();
  parent.agents.set(key, gate);
  setLimit(step, gate, limit);
  return gate;
}

/** The newest figure counts; a higher one may let others in at once. */
function setLimit(step: Step, gate: TaskGate, limit: number): void {
  gate.limit = limit;
  drain(step, gate);
}

/** A class that was inherited from a waiting ancestor must survive the task's own, lower requests. */
function higherOf(asked: SchedulingClass, floor: SchedulingClass | null): SchedulingClass {
  return floor === null ? asked : higherClass(floor, asked);
}
