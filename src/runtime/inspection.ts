// Lets people watch the machines at work. An actor is asked for what it does only while somebody watches; otherwise the
// cost is an entry in a map for each machine that is there.
//
// I1. Without a watcher no actor has an observer.
// I2. What watchers see holds no context, input, output or text of any actor, and no object of XState.
// I3. A watcher, or an observer, that fails does nothing to an actor: XState would wedge one whose observer throws.
// I4. An actor that wakes is the same one to watchers: its id is the task's.

import type {
  Actor,
  AnyActorRef,
  AnyStateMachine,
  AnyMachineSnapshot,
  InspectionEvent,
  Subscription,
} from "xstate";
import { inspectedMachines } from "../../machines/catalogue.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { ActorState, InspectedMachine, InspectionFrame, InspectionSource } from "../core/inspection.ts";

/** A machine's actor, asleep or awake. */
export interface Subject {
  readonly actorId: string;
  readonly parentId: string | null;
  readonly machine: string;
  /** Where it stands. */
  standing(): ActorState;
}

/** What hosts of actors say of them. */
export type Enrolment = Pick<Inspection, "enrol" | "woke" | "slept" | "gone">;

interface Awake {
  readonly actor: AnyActorRef;
  subscription: Subscription | null;
}

export class Inspection implements InspectionSource {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #subjects = new Map<Subject, Awake | null>();
  readonly #watchers = new Set<(frame: InspectionFrame) => void>();
  #hasFailed = false;

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  enrol(subject: Subject): void {
    this.#subjects.set(subject, null);
    if (this.#watchers.size > 0) this.#tell(() => this.#frameOf(subject));
  }

  /** Its actor is made, and not yet started. */
  woke(subject: Subject, actor: AnyActorRef): void {
    const awake: Awake = { actor, subscription: null };
    this.#subjects.set(subject, awake);
    if (this.#watchers.size > 0) this.#observe(subject, awake);
  }

  slept(subject: Subject): void {
    this.#subjects.get(subject)?.subscription?.unsubscribe();
    if (this.#subjects.has(subject)) this.#subjects.set(subject, null);
  }

  /** Nothing more becomes of it. What its actor does in its last step is still seen. */
  gone(subject: Subject): void {
    this.#subjects.delete(subject);
  }

  machines(): readonly InspectedMachine[] {
    return inspectedMachines();
  }

  actors(): readonly InspectionFrame[] {
    return [...this.#subjects.keys()].map((subject) => this.#frameOf(subject));
  }

  watch(see: (frame: InspectionFrame) => void): () => void {
    const watcher = (frame: InspectionFrame): void => see(frame);
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) {
      for (const [subject, awake] of this.#subjects) if (awake) this.#observe(subject, awake);
    }
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#unobserve();
    };
  }

  #observe(subject: Subject, awake: Awake): void {
    awake.subscription ??= awake.actor.system.inspect((event: InspectionEvent) =>
      this.#tell(() => this.#project(subject, awake.actor, event)),
    );
  }

  /** Keeps I1. */
  #unobserve(): void {
    for (const awake of this.#subjects.values()) {
      awake?.subscription?.unsubscribe();
      if (awake) awake.subscription = null;
    }
  }

  /** Keeps I3. */
  #tell(make: () => InspectionFrame | null): void {
    try {
      const frame = make();
      if (frame === null) return;
      for (const watcher of this.#watchers) watcher(frame);
    } catch (error) {
      if (!this.#hasFailed) this.#logger.error("an inspection failed", { error: messageOf(error) });
      this.#hasFailed = true;
    }
  }

  #frameOf(subject: Subject): InspectionFrame {
    const { actorId, parentId, machine } = subject;
    return { kind: "actor", actorId, parentId, machine, state: subject.standing(), time: this.#clock.now() };
  }

  /** Keeps I2: names and states alone. `null` for what nobody is shown. */
  #project({ actorId }: Subject, root: AnyActorRef, event: InspectionEvent): InspectionFrame | null {
    const isRoot = event.actorRef === root;
    const idOf = (ref: unknown): string =>
      ref === root ? actorId : `${actorId}#${(ref as { readonly id?: unknown }).id as string}`;
    const about = { actorId: idOf(event.actorRef), time: this.#clock.now() };
    if (event.type === "@xstate.actor") {
      // The machine's own actor is told of when it is enrolled.
      if (isRoot) return null;
      const state = { status: "active", value: null } as const;
      return { kind: "actor", ...about, parentId: actorId, machine: null, state };
    }
    if (event.type === "@xstate.event") {
      const sourceId = event.sourceRef === undefined ? null : idOf(event.sourceRef);
      return { kind: "event", ...about, sourceId, event: event.event.type };
    }
    if (event.type !== "@xstate.snapshot") return null;
    const state = isRoot
      ? standingOf(event.snapshot as AnyMachineSnapshot)
      : { status: event.snapshot.status, value: null };
    return { kind: "snapshot", ...about, event: event.event.type, state };
  }
}

/** Where a machine's actor stands, by its snapshot. */
export function standingOf({ status, value }: Pick<AnyMachineSnapshot, "status" | "value">): ActorState {
  return { status, value };
}

/** Enrols the actor of a model, which is awake for as long as its server is kept. Returns what to say `gone` of. */
export function enrolAwake(enrolment: Enrolment, actorId: string, actor: Actor<AnyStateMachine>): Subject {
  const standing = (): ActorState => standingOf(actor.getSnapshot());
  const subject: Subject = { actorId, parentId: null, machine: "residency", standing };
  enrolment.enrol(subject);
  enrolment.woke(subject, actor);
  return subject;
}

/** For hosts outside of a runtime, which nobody watches. */
export const UNWATCHED: Enrolment = { enrol: () => {}, woke: () => {}, slept: () => {}, gone: () => {} };
