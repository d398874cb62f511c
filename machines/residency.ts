// Where one load profile stands on its server, read aloud: absent → loading → resident → draining → unloading → absent.
// It decides what is done with a model and nothing else: the scheduler says when to load and to unload, a watch says
// what the server shows, and the effects are declared by name and provided by the runtime, which also follows the tags.
// No timers: the runtime owns them. Nothing of it is stored: after a start the watch tells what is in memory.
//
// V1. The five top-level states are the words of `Residency`: what the scheduler and people see.
// V2. Nothing is loaded or unloaded but by a command; a failed load waits for its pause, then for the next command.
// V3. A model is asked to go only after those of ours that use it have let go, or have had their time for it.
// V4. The server's word wins over ours: what it shows is resident, what it no longer shows is absent, whoever did it.
// V5. Where no load can succeed for now, turns are let pass (tag `passing`), so that each is told why instead of waiting.
// V6. Leaving a state aborts its effect; its late outcome changes nothing.

import { assign, fromPromise, setup, type ActorRefFrom, type SnapshotFrom } from "xstate";
import type { ProviderErrorKind } from "../src/base/errors.ts";

export const RESIDENCY_MACHINE_VERSION = 1;

/** The pause after a load that failed by a defect of ours, in milliseconds. */
const DEFECT_RETRY_MS = 60_000;

export interface ResidencyInput {
  readonly backend: string;
  /** The profile's key: names it to the provided effects, since one provided machine serves every actor. */
  readonly profile: string;
}

/** Why a model cannot be had now, for the turns that wait for it. */
export interface ResidencyFailure {
  readonly kind: ProviderErrorKind;
  readonly code: string;
  readonly message: string;
}

export interface ResidencyContext extends ResidencyInput {
  /** As the server shows it, 0 while it is not in memory. */
  readonly vramBytes: number;
  /** What our last load took, in milliseconds. */
  readonly loadMs: number | null;
  /** Loads that failed in a row; the pause grows with them. */
  readonly failures: number;
  /** `null` where the server itself tells each turn what is wrong. */
  readonly failure: ResidencyFailure | null;
  readonly retryInMs: number;
}

export type ResidencyEvent =
  /** The scheduler's commands. */
  | { readonly type: "load" }
  | { readonly type: "unload" }
  /** What the watch saw: it is in memory, it is not. */
  | { readonly type: "seen"; readonly vramBytes: number }
  | { readonly type: "gone" }
  /** Nobody listens at the server's address; somebody does again. */
  | { readonly type: "server.away" }
  | { readonly type: "server.back" }
  /** The server has no such model any more, or has it again; what is in memory of it serves nobody. */
  | { readonly type: "model.removed"; readonly failure: ResidencyFailure }
  | { readonly type: "model.found" }
  | { readonly type: "retry.due" };

export type LoadOutput =
  | { readonly outcome: "loaded"; readonly vramBytes: number; readonly tookMs: number }
  | {
      readonly outcome: "removed" | "wedged" | "failed";
      readonly failure: ResidencyFailure;
      readonly retryInMs: number;
    }
  | { readonly outcome: "away" };

/** `kept`: somebody else uses it, so that it stayed. */
export type UnloadOutput = { readonly outcome: "gone" | "kept" | "away" };

type EffectOutput = LoadOutput | UnloadOutput;

/** `passing`: turns pass although the model is absent (V5). `in_memory`: it takes memory on the GPU. */
export type ResidencyTag = "passing" | "in_memory";

/** Stands where the runtime's effect must be provided; running it is a defect. */
const missing = (name: string) => () => Promise.reject(new Error(`The effect "${name}" was not provided.`));

export const residencyMachine = setup({
  types: {} as {
    context: ResidencyContext;
    events: ResidencyEvent;
    input: ResidencyInput;
    tags: ResidencyTag;
  },
  actors: {
    /** Asks the server to load it, and resolves once it shows it, or with why it does not. */
    load: fromPromise<LoadOutput, { backend: string; profile: string; failures: number }>(missing("load")),
    /** Resolves once no generation of ours uses it any more, or those that are left have had their time (V3). */
    drain: fromPromise<void, { backend: string; profile: string }>(missing("drain")),
    /** Asks the server to let it go, and resolves once it does not show it any more. */
    unload: fromPromise<UnloadOutput, { backend: string; profile: string }>(missing("unload")),
  },
  actions: {
    /** Provided: sends `retry.due` after `context.retryInMs`. */
    armRetry: () => {},
    noteSeen: assign({
      vramBytes: ({ context, event }) => (event.type === "seen" ? event.vramBytes : context.vramBytes),
    }),
    noteLoaded: assign({
      vramBytes: (_, output: EffectOutput) => (output.outcome === "loaded" ? output.vramBytes : 0),
      loadMs: (_, output: EffectOutput) => (output.outcome === "loaded" ? output.tookMs : null),
    }),
    forgetFailures: assign({ failures: 0, failure: null, retryInMs: 0 }),
    /** The count stays: the next pause is longer. */
    forgetFailure: assign({ failure: null, retryInMs: 0 }),
    noteFailedLoad: assign({
      failures: ({ context }) => context.failures + 1,
      failure: (_, output: EffectOutput) => ("failure" in output ? output.failure : null),
      retryInMs: (_, output: EffectOutput) => ("retryInMs" in output ? output.retryInMs : 0),
    }),
    noteDefect: assign({
      failures: ({ context }) => context.failures + 1,
      failure: (_, failure: ResidencyFailure) => failure,
      retryInMs: DEFECT_RETRY_MS,
    }),
    noteRemoved: assign({
      failure: ({ context, event }) => (event.type === "model.removed" ? event.failure : context.failure),
    }),
    noteGone: assign({ vramBytes: 0 }),
  },
  guards: {
    loaded: (_, output: EffectOutput) => output.outcome === "loaded",
    removed: (_, output: EffectOutput) => output.outcome === "removed",
    wedged: (_, output: EffectOutput) => output.outcome === "wedged",
    away: (_, output: EffectOutput) => output.outcome === "away",
    kept: (_, output: EffectOutput) => output.outcome === "kept",
  },
}).createMachine({
  id: "residency",
  description:
    "One model with the options it is loaded with, on one server that loads and unloads at our command.",
  context: ({ input }) => ({
    backend: input.backend,
    profile: input.profile,
    vramBytes: 0,
    loadMs: null,
    failures: 0,
    failure: null,
    retryInMs: 0,
  }),
  on: {
    "server.away": ".absent.away",
    "model.removed": { target: ".absent.removed", actions: "noteRemoved" },
  },
  initial: "absent",
  states: {
    absent: {
      description: "Not in memory. No turn that needs it begins, except to be told why it cannot.",
      entry: "noteGone",
      on: { seen: { target: "resident", actions: ["noteSeen", "forgetFailures"] } },
      initial: "idle",
      states: {
        idle: {
          description: "Nobody has asked for it yet, or it went; the scheduler may ask.",
          on: { load: "#residency.loading" },
        },
        backing_off: {
          description: "Its load failed. Turns are told why until the pause is over.",
          tags: ["passing"],
          entry: "armRetry",
          on: {
            "retry.due": { target: "idle", actions: "forgetFailure" },
            "server.back": { target: "idle", actions: "forgetFailures" },
          },
        },
        wedged: {
          description:
            "Its load neither ended nor moved while the server answered everything else: the server is stuck, or another program's work fills it. Turns are told what to do.",
          tags: ["passing"],
          entry: "armRetry",
          on: {
            "retry.due": { target: "idle", actions: "forgetFailure" },
            "server.back": { target: "idle", actions: "forgetFailures" },
          },
        },
        removed: {
          description: "The server has it no more. Turns are told so until it is there again.",
          tags: ["passing"],
          on: {
            // What is left of it in memory answers no request.
            seen: {},
            "model.found": { target: "idle", actions: "forgetFailures" },
          },
        },
        away: {
          description:
            "The server does not answer. Turns pass, and are held, or go on elsewhere, as each task may.",
          tags: ["passing"],
          entry: "forgetFailures",
          on: { "server.away": {}, "server.back": "idle" },
        },
      },
    },
    loading: {
      description: "The server was asked for it and does not show it yet, or not as a whole.",
      tags: ["in_memory"],
      on: { unload: "unloading" },
      invoke: {
        src: "load",
        input: ({ context }) => ({
          backend: context.backend,
          profile: context.profile,
          failures: context.failures,
        }),
        onDone: [
          {
            guard: { type: "loaded", params: itsOutput },
            target: "resident",
            actions: [{ type: "noteLoaded", params: itsOutput }, "forgetFailures"],
          },
          { guard: { type: "away", params: itsOutput }, target: "absent.away" },
          {
            guard: { type: "removed", params: itsOutput },
            target: "absent.removed",
            actions: { type: "noteFailedLoad", params: itsOutput },
          },
          {
            guard: { type: "wedged", params: itsOutput },
            target: "absent.wedged",
            actions: { type: "noteFailedLoad", params: itsOutput },
          },
          { target: "absent.backing_off", actions: { type: "noteFailedLoad", params: itsOutput } },
        ],
        onError: { target: "absent.backing_off", actions: { type: "noteDefect", params: itsDefect } },
      },
    },
    resident: {
      description: "In memory: its turns begin as the scheduler grants them.",
      tags: ["in_memory"],
      on: { unload: "draining", seen: { actions: "noteSeen" }, gone: "absent" },
    },
    draining: {
      description:
        "It is to go. The scheduler begins no turn any more; those that have not let go yet end first.",
      tags: ["in_memory"],
      on: { load: "resident", gone: "absent" },
      invoke: {
        src: "drain",
        input: ({ context }) => ({ backend: context.backend, profile: context.profile }),
        onDone: "unloading",
        onError: "resident",
      },
    },
    unloading: {
      description: "The server was asked to let it go and still shows it.",
      tags: ["in_memory"],
      invoke: {
        src: "unload",
        input: ({ context }) => ({ backend: context.backend, profile: context.profile }),
        onDone: [
          { guard: { type: "kept", params: itsOutput }, target: "resident" },
          { guard: { type: "away", params: itsOutput }, target: "absent.away" },
          { target: "absent" },
        ],
        onError: "resident",
      },
    },
  },
});

/** What an effect that ended came to, for the guards and actions of `onDone`. */
function itsOutput<T extends EffectOutput>({ event }: { readonly event: { readonly output: T } }): T {
  return event.output;
}

/** An effect that rejected: a defect of Troupe, told as one. */
function itsDefect({ event }: { readonly event: { readonly error: unknown } }): ResidencyFailure {
  const text = event.error instanceof Error ? event.error.message : String(event.error);
  return { kind: "overloaded", code: "internal", message: `Troupe failed to load the model: ${text}` };
}

export type ResidencyActorRef = ActorRefFrom<typeof residencyMachine>;
export type ResidencySnapshot = SnapshotFrom<typeof residencyMachine>;
