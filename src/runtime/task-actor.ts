// The actor of one task, and only while something happens to it: a task that waits to be admitted, for its children
// or for a person does so for minutes or hours, and half of its memory would be its actor. It decides nothing.
// Z1. Only an actor without an effect in flight sleeps: one that is queued, or parked under the tag `waiting`.
// Z2. Waking restores what was put to sleep before the event that wakes it is handled.
// Z3. An actor that has ended or was stopped is never woken again: what is sent to it then is dropped.

import { createActor, type Snapshot } from "xstate";
import {
  AGENT_MACHINE_VERSION,
  type AgentActorRef,
  type AgentEmitted,
  type AgentEvent,
  type AgentInput,
  type agentMachine,
  type AgentSnapshot,
} from "../../machines/agent.ts";
import type { TaskSpec } from "../core/task.ts";
import type { HostServices } from "./services.ts";

/** Tries of one generation while its failures are transient: with pauses of 1, 2, 4 and 8 s, about 15 s. */
const GENERATION_TRIES = 5;

/** Whom the actor tells what it does. */
export interface ActorHost {
  readonly spec: TaskSpec;
  readonly services: Pick<HostServices, "machine" | "dormitory">;
  follow(snapshot: AgentSnapshot): void;
  show(delta: AgentEmitted): void;
  defect(error: unknown): void;
}

/** What a store keeps of an actor. */
type Persisted = Snapshot<unknown> &
  Pick<AgentSnapshot, "context" | "value"> & { children: object; historyValue: object };

export class TaskActor {
  readonly #host: ActorHost;
  #actor: AgentActorRef | null = null;
  /** The newest one that was made: what a sleeping actor is woken from. */
  #persisted: Persisted | null = null;
  #over = false;

  constructor(host: ActorHost) {
    this.#host = host;
  }

  /** Handles the event, waking the actor for it; dropped once it is over (Z3). */
  send(event: AgentEvent): void {
    if (this.#over) return;
    const actor = this.#actor ?? this.#wake();
    // What it sends while it starts, or what its observers send, may have ended it.
    if (actor.getSnapshot().status === "active") actor.send(event);
  }

  /** The snapshot for the store: small, and without the transcript. */
  persist(activeMs: number): unknown {
    if (this.#actor) this.#persisted = lean(this.#actor.getPersistedSnapshot() as Persisted);
    return { machine: AGENT_MACHINE_VERSION, activeMs, actor: this.#persisted };
  }

  /** Lets the actor go if it is still idle; called when nothing has happened to it for a while. */
  sleep(): void {
    const snapshot = this.#actor?.getSnapshot();
    if (!snapshot || this.#over || !isIdle(snapshot)) return;
    // The one that the store has will do when nothing has changed since: then both are one object.
    if (this.#persisted?.context !== snapshot.context) this.persist(0);
    this.#actor = null;
  }

  /** Stops it for good; what it was doing is aborted. */
  stop(): void {
    this.#over = true;
    this.#actor?.stop();
    this.#actor = null;
  }

  #wake(): AgentActorRef {
    const { spec, services } = this.#host;
    const input = inputOf(spec);
    const snapshot = this.#persisted ?? firstOf(services.machine, input);
    const actor = createActor(services.machine, { id: spec.id, input, snapshot });
    this.#actor = actor;
    actor.subscribe({
      next: (snapshot) => this.#follow(snapshot),
      error: (error) => this.#host.defect(error),
    });
    actor.on("delta", (delta) => this.#host.show(delta));
    actor.start();
    return actor;
  }

  #follow(snapshot: AgentSnapshot): void {
    if (snapshot.status !== "active") this.#over = true;
    else if (isIdle(snapshot)) this.#host.services.dormitory.settle(this);
    this.#host.follow(snapshot);
  }
}

function inputOf({ id, kind, limits }: TaskSpec): AgentInput {
  return {
    taskId: id,
    kind,
    maxTurns: limits.maxTurns,
    generationTries: GENERATION_TRIES,
    retryLimit: limits.retryOnFailure ? limits.retryLimit : 0,
  };
}

/** Nearly every snapshot has neither effects in flight nor history; all of those share one empty object. */
const NOTHING = Object.freeze({});

function lean(snapshot: Persisted): Persisted {
  if (Object.keys(snapshot.children).length === 0) snapshot.children = NOTHING;
  if (Object.keys(snapshot.historyValue).length === 0) snapshot.historyValue = NOTHING;
  return snapshot;
}

/** The first snapshot of each machine; entering the first state anew for each task costs three times as much. */
const FIRST = new WeakMap<typeof agentMachine, Persisted>();

/** What the machine begins with for this input: its context is the input and figures that are the same for all. */
function firstOf(machine: typeof agentMachine, input: AgentInput): Persisted {
  const known = FIRST.get(machine) ?? (createActor(machine, { input }).getPersistedSnapshot() as Persisted);
  FIRST.set(machine, known);
  return { ...known, context: { ...known.context, ...input } };
}

/** Keeps Z1: no state with an effect or a timer of its own is among these. */
function isIdle(snapshot: AgentSnapshot): boolean {
  return snapshot.hasTag("waiting") || snapshot.matches({ spawned: "queued" });
}
