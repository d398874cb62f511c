// What the witness is told: every write that reached the medium, every answer that a caller got, every generation and
// tool run that began or ended. Plain data; checks learn from nothing else while a world runs.

import type { StoredEvent } from "../../src/core/event.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import type { Claim, CommitReceipt, CommitWrite, InboxMessage, SendReceipt } from "../../src/store/store.ts";
import type { ResidencyReport } from "../../src/scheduler/scheduler.ts";
import type { UmpireFact } from "./umpire.ts";
import type { Caps } from "./world.ts";

/** A call of the API, as the person who made it sees it. */
export interface ApiCall {
  /** In order of calling. */
  readonly number: number;
  readonly name: string;
  readonly taskId: string | null;
  readonly life: number;
  readonly request: unknown;
}

/** Where a generation is sent. */
export interface Place {
  readonly backend: string;
  readonly model: string;
  readonly contextTokens: number | null;
  /** The server has it in memory, with these options. */
  readonly isThere: boolean;
  /** Our generations that use what would have to go for it. */
  readonly inTheWay: readonly string[];
}

/** A model is loaded or let go at our command. */
export interface Move {
  readonly what: "load" | "unload";
  readonly model: string;
  readonly contextTokens: number | null;
  /** Our generations that use it. */
  readonly inUse: readonly string[];
}

export type Fact =
  | {
      /** `ready`: recovery is over, and the server answers. */
      readonly kind: "life.began" | "life.ready";
      readonly life: number;
      readonly caps: Caps;
    }
  /** The graceful end came to an end of its own. */
  | { readonly kind: "closed"; readonly life: number; readonly ms: number; readonly problem: string | null }
  /** The graceful end has begun. */
  | { readonly kind: "closing"; readonly life: number }
  | { readonly kind: "life.ended"; readonly life: number; readonly how: "crash" | "close" }
  | { readonly kind: "submitted"; readonly life: number; readonly spec: TaskSpec; readonly created: boolean }
  | { readonly kind: "claimed"; readonly life: number; readonly claim: Claim }
  | {
      readonly kind: "committed";
      readonly life: number;
      readonly taskId: string;
      readonly epoch: number;
      readonly expectedSeq: number;
      readonly write: CommitWrite;
      readonly receipt: CommitReceipt;
    }
  /** The server has heard that its write of an end was made. */
  | { readonly kind: "end.heard"; readonly life: number; readonly taskId: string }
  | { readonly kind: "marked"; readonly life: number; readonly taskId: string }
  | {
      readonly kind: "sent";
      readonly life: number;
      readonly taskId: string;
      readonly message: InboxMessage;
      readonly receipt: SendReceipt;
    }
  /** The store refused a write, by its own word and not by a fault of ours. */
  | {
      readonly kind: "refused";
      readonly life: number;
      readonly call: string;
      readonly taskId: string | null;
      readonly code: string;
    }
  /** A write of a life that is over reached the store late, and was made. */
  | { readonly kind: "late.write"; readonly life: number; readonly taskId: string; readonly epoch: number }
  | { readonly kind: "event"; readonly event: StoredEvent }
  | {
      readonly kind: "generation.began";
      readonly life: number;
      readonly taskId: string;
      readonly inFlight: number;
      /** Tells the generations of one life apart. */
      readonly nth: number;
      readonly place: Place;
      /** What it must have been granted of the budgets that it is under, at the least. */
      readonly reserves: Readonly<Record<"tokens" | "costMicros" | "gpuMs", number>>;
    }
  /** It was told to stop, and lets go with `generation.ended`. */
  | {
      readonly kind: "generation.aborted";
      readonly life: number;
      readonly taskId: string;
      readonly nth: number;
    }
  | {
      readonly kind: "generation.ended";
      readonly life: number;
      readonly taskId: string;
      readonly nth: number;
      /** How long its server asked to be left alone. */
      readonly retryAfterMs: number | null;
    }
  | {
      readonly kind: "tool.began" | "tool.ended";
      readonly life: number;
      readonly taskId: string;
      readonly callId: string;
      readonly tool: string;
      readonly repeatable: boolean;
    }
  | ({
      readonly kind: "move.began" | "move.ended";
      readonly life: number;
      readonly backend: string;
    } & Move)
  /** The scheduler commands it. */
  | {
      readonly kind: "commanded";
      readonly what: Move["what"];
      readonly backend: string;
      readonly profile: string;
    }
  /** The scheduler is told what became of it. */
  | ({ readonly kind: "reported" } & ResidencyReport)
  | { readonly kind: "called"; readonly call: ApiCall }
  | { readonly kind: "returned"; readonly call: ApiCall; readonly answer: unknown }
  | { readonly kind: "threw"; readonly call: ApiCall; readonly thrown: unknown }
  /** A watcher of the event stream was shown a frame. */
  | { readonly kind: "watched"; readonly life: number; readonly cursor: number; readonly gap: boolean }
  /** The wall clock jumped. */
  | { readonly kind: "jumped"; readonly ms: number }
  | UmpireFact
  | { readonly kind: "complained"; readonly life: number; readonly line: string }
  | { readonly kind: "unhandled"; readonly message: string };

export type FactKind = Fact["kind"];
type Having<F extends Fact, K extends FactKind> = F extends Fact ? (K extends F["kind"] ? F : never) : never;
export type FactOf<K extends FactKind> = Having<Fact, K>;
