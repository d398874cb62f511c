// The actor of one task, and only while something happens to it: a task that waits to be admitted, for its children
// or for a person does so for minutes or hours, and half of its memory would be its actor. It decides nothing.
// Z1. Only an actor without an effect in flight sleeps: one that is queued, or parked under the tag `waiting`.
// Z2. Waking restores what was put to sleep before the event that wakes it is handled.
// Z3. An actor that has ended or was stopped is never woken again: what is sent to it then is dropped.
// Z4. After a restart nothing of it acts, and nothing that is sent to it is lost, until it is opened. A stop is not
//     lost with the next restart either, because no mail says it again.

import { createActor, transition } from "xstate";
import {
  type AgentActorRef,
  type AgentContext,
  type AgentEmitted,
  type AgentEvent,
  type AgentInput,
  type agentMachine,
  type AgentSnapshot,
} from "../../machines/agent.ts";
import type { ActorState } from "../core/inspection.ts";
import { furtherRunsOf, type RunningTask } from "./failed-run.ts";
import { GENERATION_TRIES } from "./generation.ts";
import type { HostServices } from "./services.ts";
import { wordsOf } from "./outcome.ts";
import { standingOf, type Subject } from "./inspection.ts";
import { isParked } from "./resuming.ts";
import type { PersistedActor, StoredState } from "./stored-state.ts";

/** Whom the actor tells what it does. */
export interface ActorHost extends RunningTask {
  readonly services: Pick<HostServices, "machine" | "dormitory" | "inspection">;
  follow(snapshot: AgentSnapshot): void;
  show(delta: AgentEmitted): void;
  defect(error: unknown): void;
}

export class TaskActor implements Subject {
  readonly machine = "agent";
  readonly #host: ActorHost;
  #actor: AgentActorRef | null = null;
  /** The newest one that was made: what a sleeping actor is woken from. */
  #persisted: PersistedActor | null = null;
  #over = false;
  /** What was sent to an actor that is not open yet (Z4). */
  #early: AgentEvent[] | null = null;

  constructor(host: ActorHost) {
    this.#host = host;
    host.services.inspection.enrol(this);
  }

  get actorId(): string {
    return this.#host.spec.id;
  }

  get parentId(): string | null {
    return this.#host.spec.parentId;
  }

  standing(): ActorState {
    const { machine } = this.#host.services;
    return standingOf(this.#actor?.getSnapshot() ?? this.#persisted ?? firstOf(machine, inputOf(this.#host)));
  }

  /** Goes on from what a store had of it, once it is opened. A generation without a lease first asks for one (M3). */
  restore({ actor, stopped }: Pick<StoredState, "actor" | "stopped">): void {
    this.#persisted = withoutLease(this.#host, actor);
    this.#early = stopped ? [{ type: "stop" }] : [];
  }

  /** Begins another run, once it is opened and admitted, and a pause of `pauseMs` is over. */
  restart(context: Pick<AgentContext, "run" | "turn">, pauseMs: number): void {
    const first = firstOf(this.#host.services.machine, inputOf(this.#host));
    this.#persisted = {
      ...first,
      ...(pauseMs > 0 && { value: { spawned: "backing_off" } }),
      context: { ...first.context, ...context, backoffMs: pauseMs },
    };
    this.#early = [];
  }

  /**
   * Acts from now on: an actor at work is started again, `begun` does what its entry actions once did, and then comes
   * what was sent meanwhile.
   */
  open(begun: (snapshot: PersistedActor) => void): void {
    const early = this.#early ?? [];
    this.#early = null;
    if (this.#over) return;
    const persisted = this.#persisted;
    if (persisted !== null && !isParkedValue(persisted.value)) {
      this.#wake();
      begun(persisted);
    }
    for (const event of early) this.send(event);
  }

  /** Whether it waits to be opened (Z4). */
  get isClosed(): boolean {
    return this.#early !== null;
  }

  /** Whether it is to be stopped as soon as it is opened (Z4). */
  get isStopped(): boolean {
    return this.#early?.some(({ type }) => type === "stop") === true;
  }

  /** Handles the event, waking the actor for it; dropped once it is over (Z3). */
  send(event: AgentEvent): void {
    if (this.#over) return;
    if (this.#early !== null) return void this.#early.push(event);
    const actor = this.#actor ?? this.#wake();
    // What it sends while it starts, or what its observers send, may have ended it.
    if (actor.getSnapshot().status === "active") actor.send(event);
  }

  /** The state for the store: small, and without the transcript; `null` before the first event. */
  persist(): PersistedActor | null {
    if (this.#actor) this.#persisted = lean(this.#actor.getPersistedSnapshot() as PersistedActor);
    return this.#persisted;
  }

  /** Whether its calls wait for other things than in the state that was made for the store last. */
  hasOtherWaits({ context }: AgentSnapshot): boolean {
    return context.waits !== (this.#persisted?.context.waits ?? context.waits);
  }

  /** Lets the actor go if it is still idle; called when nothing has happened to it for a while. */
  sleep(): void {
    const snapshot = this.#actor?.getSnapshot();
    if (!snapshot || this.#over || !isIdle(snapshot)) return;
    // The one that the store has will do when nothing has changed since: then both are one object.
    if (this.#persisted?.context !== snapshot.context) this.persist();
    this.#actor = null;
    this.#host.services.inspection.slept(this);
  }

  /** Stops it for good; what it was doing is aborted. */
  stop(): void {
    this.#finish();
    this.#actor?.stop();
    this.#actor = null;
  }

  #wake(): AgentActorRef {
    const { spec, services } = this.#host;
    const input = inputOf(this.#host);
    const snapshot = this.#persisted ?? firstOf(services.machine, input);
    const actor = createActor(services.machine, { id: spec.id, input, snapshot });
    this.#actor = actor;
    services.inspection.woke(this, actor);
    actor.subscribe({
      next: (snapshot) => this.#follow(snapshot),
      error: (error) => this.#host.defect(error),
    });
    actor.on("delta", (delta) => this.#host.show(delta));
    actor.start();
    return actor;
  }

  #finish(): void {
    this.#over = true;
    this.#host.services.inspection.gone(this);
  }

  #follow(snapshot: AgentSnapshot): void {
    if (snapshot.status !== "active") this.#finish();
    else if (isIdle(snapshot)) this.#host.services.dormitory.settle(this);
    this.#host.follow(snapshot);
  }
}

function inputOf(host: RunningTask): AgentInput {
  const { id, kind, limits } = host.spec;
  return {
    taskId: id,
    kind,
    maxTurns: limits.maxTurns,
    generationTries: GENERATION_TRIES,
    retryLimit: furtherRunsOf(host),
  };
}

/** Nearly every snapshot has neither effects in flight nor history; all of those share one empty object. */
const NOTHING = Object.freeze({});

function lean(snapshot: PersistedActor): PersistedActor {
  if (Object.keys(snapshot.children).length === 0) snapshot.children = NOTHING;
  if (Object.keys(snapshot.historyValue).length === 0) snapshot.historyValue = NOTHING;
  return snapshot;
}

/** The first snapshot of each machine; entering the first state anew for each task costs three times as much. */
const FIRST = new WeakMap<typeof agentMachine, PersistedActor>();

/** What the machine begins with for this input: its context is the input and figures that are the same for all. */
function firstOf(machine: typeof agentMachine, input: AgentInput): PersistedActor {
  const known =
    FIRST.get(machine) ?? (createActor(machine, { input }).getPersistedSnapshot() as PersistedActor);
  FIRST.set(machine, known);
  return { ...known, context: { ...known.context, ...input } };
}

/** The lease of a generation did not survive: the machine's own answer to a preemption, before anything runs. */
function withoutLease(host: ActorHost, snapshot: PersistedActor): PersistedActor {
  const { state, phase } = wordsOf(snapshot.value);
  if (state !== "steering" && phase !== "generating") return snapshot;
  const { machine } = host.services;
  const held = createActor(machine, { input: inputOf(host), snapshot }).getSnapshot();
  const [next] = transition(machine, held, { type: "preempted" });
  return machine.getPersistedSnapshot(next) as PersistedActor;
}

/** The same of a stored value, for an actor that need not be woken to go on waiting. */
function isParkedValue(value: PersistedActor["value"]): boolean {
  const { state, phase } = wordsOf(value);
  return isParked(phase) || (state === "spawned" && phase === "queued");
}

/** Keeps Z1: no state with an effect or a timer of its own is among these. */
function isIdle(snapshot: AgentSnapshot): boolean {
  return snapshot.hasTag("waiting") || snapshot.matches({ spawned: "queued" });
}
