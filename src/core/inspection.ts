// What actors do, as people may look at it: states, kinds of events, and who is whose. Never a context, an input, an
// output or a text: those are seen where the API asks who may (design.md §1.2).

/** Where an actor stands: `value` is XState's, such as `spawned` or `{running: "generating"}`; `null` for an effect. */
export interface ActorState {
  readonly status: "active" | "done" | "error" | "stopped";
  readonly value: unknown;
}

export type InspectionFrame =
  /** An actor that is there, or has just come. */
  | {
      readonly kind: "actor";
      /** The task's id, `backend/profile` for the residency of a model, or `actor#effect` for an effect of one. */
      readonly actorId: string;
      readonly parentId: string | null;
      /** `null` for an effect, which is no machine. */
      readonly machine: string | null;
      readonly state: ActorState;
      readonly time: number;
    }
  /** An event is about to be handled. `event` is its type and nothing else of it. */
  | {
      readonly kind: "event";
      readonly actorId: string;
      readonly sourceId: string | null;
      readonly event: string;
      readonly time: number;
    }
  /** It was handled, and this is where the actor stands now. */
  | {
      readonly kind: "snapshot";
      readonly actorId: string;
      readonly event: string;
      readonly state: ActorState;
      readonly time: number;
    };

/** A machine as those draw it who know XState's config of it. */
export interface InspectedMachine {
  readonly machine: string;
  readonly version: number;
  /** XState's config as JSON text. */
  readonly config: string;
}

/** What can be watched. None of these throws. */
export interface InspectionSource {
  machines(): readonly InspectedMachine[];
  /** Every machine's actor that is there now. */
  actors(): readonly InspectionFrame[];
  /** Calls `see` for all that happens from now on, until the returned function is called. */
  watch(see: (frame: InspectionFrame) => void): () => void;
}
