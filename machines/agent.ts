// The lifecycle of a task, read aloud: spawned → running ⇄ steering → done | cancelled | failed.
// It decides what happens next and nothing else: effects are declared by name and provided by the runtime, which
// also follows the tags (who may hold a lease, a place, the active clock). No timers: the runtime owns them, because
// XState does not restore `after`. No transcript: rows live in the store, so that a snapshot stays small.
//
// M1. `done`, `cancelled` and `failed` are final and absorbing; every failure is a final state with typed output.
// M2. A cancel wins from every state that is not final, and only an event cancels, never `actor.stop()`.
// M3. A lease is held in `running.generating` and `steering`, and nowhere else; one is asked for only when a turn
//     may begin.
// M4. Mail that was announced is folded in by a later turn, or the task ends: none is forgotten. Positions, not
//     counts or events, are compared, so that mail cannot be lost by the moment at which it came.
// M5. Leaving a state aborts its effect; its late outcome changes nothing.

import { assign, emit, fromPromise, setup, type ActorRefFrom, type SnapshotFrom } from "xstate";
import type { TaskFailure, TaskKind } from "../src/core/task.ts";
import type { ToolWait, WaitEnd } from "../src/core/tool.ts";

/** Raised when a stored snapshot of the version before could no longer be resumed as it is. */
export const AGENT_MACHINE_VERSION = 1;

/** A tool call that suspended, and why it goes on once it does. */
export interface PendingWait {
  readonly callId: string;
  readonly tool: string;
  readonly wait: ToolWait;
  readonly end: WaitEnd | null;
}

export interface AgentInput {
  /** Names the task to the provided effects: one provided machine serves every actor. */
  readonly taskId: string;
  readonly kind: TaskKind;
  /** Turns before the task fails as `max_turns`; for a session, turns between two messages of a person. */
  readonly maxTurns: number;
  /** Tries of one generation while its failures are transient. */
  readonly generationTries: number;
  /** Further runs after a failed one, those with a stronger model included; 0 for none. */
  readonly retryLimit: number;
}

export interface AgentContext extends AgentInput {
  readonly run: number;
  /** Turns begun, over all runs. */
  readonly turn: number;
  readonly turnsUsed: number;
  /** The turn was opened and has not finished: a generation that is tried again belongs to it. */
  readonly turnOpen: boolean;
  /** The last turn ended with an answer, and no other was opened since. */
  readonly answered: boolean;
  readonly tries: number;
  /** Inbox positions: the last one announced, and the last one folded in. */
  readonly mailSeen: number;
  readonly mailTaken: number;
  /** The last one announced that ends a wait: a person to a session, an interrupting steer to any task. */
  readonly mailUrgent: number;
  /** The last one announced when the fold in flight began. */
  readonly mailFolding: number;
  /** Mail up to here begins no turn by itself (`/stop`, no turn left); the next turn folds it in. */
  readonly mailHeld: number;
  readonly liveChildren: number;
  readonly waits: readonly PendingWait[];
  /** How the next lease is asked for. */
  readonly ticket: "normal" | "resuming" | "front";
  readonly backoffMs: number;
  readonly failure: TaskFailure | null;
  readonly reason: string | null;
}

export type AgentEvent =
  | { readonly type: "admitted" }
  | { readonly type: "lease.granted" }
  /** The scheduler takes the slot back for a person's turn; also the first event after a restart (M3). */
  | { readonly type: "preempted" }
  | {
      readonly type: "mail.arrived";
      /** Position of the newest entry. */
      readonly position: number;
      readonly interrupt: boolean;
      /** Written by a person, not by a child or another agent. */
      readonly person: boolean;
    }
  /** A commit moved the inbox cursor: entries up to `position` are part of the transcript. Sent before a fold ends. */
  | { readonly type: "mail.taken"; readonly position: number }
  /** Sent after the completions of children that ended were announced as mail, so that they are read (M4). */
  | { readonly type: "children.changed"; readonly live: number }
  /** Heard while parked only: who keeps a wait looks first whether it is over already. */
  | { readonly type: "wait.ended"; readonly callId: string; readonly end: WaitEnd }
  | { readonly type: "retry.due" }
  | { readonly type: "delta"; readonly channel: "text" | "thinking"; readonly text: string }
  /** `/stop`: a session drops what it does and listens again. */
  | { readonly type: "stop" }
  /** A person closes a session. */
  | { readonly type: "close" }
  | { readonly type: "cancel"; readonly reason: string }
  /** A limit of the whole task was reached: active time, deadline, budget. */
  | { readonly type: "limit.reached"; readonly failure: TaskFailure };

type MailArrived = Extract<AgentEvent, { readonly type: "mail.arrived" }>;

/** How an effect that failed says so; effects reject only for defects of Troupe. */
export interface EffectFailure {
  readonly outcome: "failed";
  readonly failure: TaskFailure;
  /** The same request may succeed soon. */
  readonly transient: boolean;
  readonly retryInMs: number;
  /** Nothing failed: others hold what it needs, for now. It is tried again however often. */
  readonly heldUp?: boolean;
  /** Another run begins with a stronger model, whatever runs are left. */
  readonly stepsUp?: boolean;
}

/** Nobody else holds what is missing before a turn has begun. */
export type PrepareOutput = { readonly outcome: "ready" } | (EffectFailure & { readonly heldUp?: never });
export type GenerateOutput =
  | { readonly outcome: "answered" }
  | { readonly outcome: "called_tools" }
  /** Its model failed, and another of its route takes the same turn. */
  | { readonly outcome: "rerouted" }
  | EffectFailure;
/** `waits` are the calls that suspended, none of them ended yet. */
export type CallToolsOutput =
  | { readonly outcome: "called"; readonly waits: readonly PendingWait[] }
  | EffectFailure;
export type FoldOutput = { readonly outcome: "folded" } | EffectFailure;

type EffectOutput = PrepareOutput | GenerateOutput | CallToolsOutput | FoldOutput;

export type AgentEmitted = {
  readonly type: "delta";
  readonly channel: "text" | "thinking";
  readonly text: string;
};

export type AgentOutput =
  | { readonly state: "done" }
  | { readonly state: "cancelled"; readonly reason: string }
  | { readonly state: "failed"; readonly failure: TaskFailure };

/**
 * What the runtime follows: `holds_lease`, `holds_place`, `active_time` (the clock of `timeout_s` runs),
 * `interruptible` (an interrupting steer acts at once), `waiting` (parked for another actor), `terminal`.
 */
export type AgentTag =
  | "holds_lease"
  | "holds_place"
  | "active_time"
  | "interruptible"
  | "waiting"
  | "terminal";

/** Stands where the runtime's effect must be provided; running it is a defect. */
const missing = (name: string) => () => Promise.reject(new Error(`The effect "${name}" was not provided.`));

export const agentMachine = setup({
  types: {} as {
    context: AgentContext;
    events: AgentEvent;
    emitted: AgentEmitted;
    input: AgentInput;
    output: AgentOutput;
    tags: AgentTag;
  },
  actors: {
    prepare: fromPromise<PrepareOutput, { taskId: string; run: number }>(missing("prepare")),
    foldMail: fromPromise<FoldOutput, { taskId: string; turn: number; run: number }>(missing("foldMail")),
    generate: fromPromise<GenerateOutput, { taskId: string; turn: number; run: number; tries: number }>(
      missing("generate"),
    ),
    callTools: fromPromise<CallToolsOutput, { taskId: string; turn: number; waits: readonly PendingWait[] }>(
      missing("callTools"),
    ),
  },
  actions: {
    /** Provided: asks the scheduler for a generation lease, as `context.ticket` says. */
    requestLease: () => {},
    /** Provided: what the effect came to becomes part of the commit of the state that follows, or of none (M5). */
    keepOutcome: () => {},
    /** Provided: records the failed try and sends `retry.due` after `context.backoffMs`. */
    armRetry: () => {},
    /** Provided: tells the person that a session's agent used its turns without an answer. */
    reportOutOfTurns: () => {},
    /** Provided: tells the person why a session's agent gave no answer. */
    reportFailure: () => {},
    noteMail: assign({
      mailSeen: ({ context, event }) =>
        event.type === "mail.arrived" ? Math.max(context.mailSeen, event.position) : context.mailSeen,
      mailUrgent: ({ context, event }) =>
        isUrgent(context, event) ? Math.max(context.mailUrgent, event.position) : context.mailUrgent,
      turnsUsed: ({ context, event }) => (renewsTurns(context, event) ? 0 : context.turnsUsed),
    }),
    /** Taken mail counts as seen: an announcement may come late, or not at all after a restart. */
    takeMail: assign({
      mailSeen: ({ context, event }) =>
        event.type === "mail.taken" ? Math.max(context.mailSeen, event.position) : context.mailSeen,
      mailTaken: ({ context, event }) =>
        event.type === "mail.taken" ? Math.max(context.mailTaken, event.position) : context.mailTaken,
    }),
    noteFold: assign({ mailFolding: ({ context }) => context.mailSeen }),
    holdMail: assign({ mailHeld: ({ context }) => context.mailSeen }),
    noteChildren: assign({
      liveChildren: ({ context, event }) =>
        event.type === "children.changed" ? event.live : context.liveChildren,
    }),
    openTurn: assign({
      turn: ({ context }) => (context.turnOpen ? context.turn : context.turn + 1),
      turnsUsed: ({ context }) => (context.turnOpen ? context.turnsUsed : context.turnsUsed + 1),
      turnOpen: true,
      answered: false,
      ticket: "normal",
    }),
    /** A turn that was interrupted is not charged twice. */
    replaceTurn: assign({ turn: ({ context }) => context.turn + 1, tries: 0 }),
    closeTurn: assign({ turnOpen: false, tries: 0 }),
    noteAnswer: assign({ answered: true }),
    forgetTries: assign({ tries: 0 }),
    askNormally: assign({ ticket: "normal" }),
    /** A session's own turn goes before those that resume, so it never asks as one. */
    askAsResuming: assign({
      ticket: ({ context }) => (context.kind === "session" ? "normal" : "resuming"),
    }),
    askInFront: assign({ ticket: "front" }),
    noteWaits: assign({ waits: (_, output: EffectOutput) => waitsOf(output) }),
    endWait: assign({
      waits: ({ context, event }) =>
        event.type === "wait.ended"
          ? context.waits.map((each) =>
              each.callId === event.callId && !each.end ? { ...each, end: event.end } : each,
            )
          : context.waits,
      turnsUsed: ({ context, event }) => (renewsTurns(context, event) ? 0 : context.turnsUsed),
    }),
    interruptWaits: assign({
      waits: ({ context }) =>
        context.waits.map((each) => (each.end ? each : { ...each, end: { cause: "interrupted" as const } })),
    }),
    forgetWaits: assign({ waits: [] }),
    noteTry: assign({
      // Waiting for what others hold is no try.
      tries: ({ context }, output: EffectOutput) =>
        isFailure(output) && output.heldUp === true
          ? context.tries
          : Math.min(context.tries + 1, context.generationTries - 1),
      backoffMs: (_, output: EffectOutput) => retryInMsOf(output),
    }),
    noteFailedRun: assign({
      run: ({ context }) => context.run + 1,
      turnsUsed: 0,
      tries: 0,
      turnOpen: false,
      waits: [],
      backoffMs: (_, output: EffectOutput) => retryInMsOf(output),
    }),
    /** The run that a stronger model makes is none of its retries. */
    keepRetries: assign({ retryLimit: ({ context }) => context.retryLimit + 1 }),
    fail: assign({ failure: (_, failure: TaskFailure) => failure }),
    noteReason: assign({
      reason: ({ context, event }) => (event.type === "cancel" ? event.reason : context.reason),
    }),
    stream: emit((_, params: { channel: "text" | "thinking"; text: string }) => ({
      type: "delta" as const,
      ...params,
    })),
  },
  guards: {
    isSession: ({ context }) => context.kind === "session",
    hasMail: ({ context }) => context.mailSeen > context.mailTaken,
    /** Only mail that came during the fold: one that folds nothing is not repeated for ever. */
    mailSinceFold: ({ context }) => context.mailSeen > Math.max(context.mailTaken, context.mailFolding),
    hasChildren: ({ context }) => context.liveChildren > 0,
    /** No call waits, so that new mail may begin a turn. */
    mailBeginsTurn: ({ context }) =>
      context.waits.length === 0 && context.mailSeen > Math.max(context.mailTaken, context.mailHeld),
    /** Asked after the mail: what the children said last is read first. */
    nothingLeft: ({ context }) => context.waits.length === 0 && context.liveChildren === 0,
    hasTurns: ({ context }) => context.turnsUsed < context.maxTurns,
    hasAnswer: ({ context }) => context.answered,
    hasAnswerAndChildren: ({ context }) => context.answered && context.liveChildren > 0,
    /** Mail that was folded in before it was announced interrupts nothing. */
    interrupts: ({ context, event }) =>
      event.type === "mail.arrived" && event.interrupt && event.position > context.mailTaken,
    /** Urgent mail ends a wait for children, also when it came before the wait began. A question stays open. */
    mailBreaksWait: ({ context }) => context.mailUrgent > context.mailTaken && isPending(context.waits),
    noQuestionOpen: ({ context }) => isPending(context.waits) && !asksPerson(context.waits),
    endsLastWait: ({ context, event }) =>
      event.type === "wait.ended" &&
      context.waits.some((each) => each.callId === event.callId && !each.end) &&
      context.waits.every((each) => each.end !== null || each.callId === event.callId),
    succeeded: (_, output: EffectOutput) => !isFailure(output),
    failed: (_, output: EffectOutput) => isFailure(output),
    failedInSession: ({ context }, output: EffectOutput) => isFailure(output) && context.kind === "session",
    calledTools: (_, output: EffectOutput) => output.outcome === "called_tools",
    answered: (_, output: EffectOutput) => output.outcome === "answered",
    rerouted: (_, output: EffectOutput) => output.outcome === "rerouted",
    suspended: (_, output: EffectOutput) => isPending(waitsOf(output)),
    suspendedForInput: (_, output: EffectOutput) => asksPerson(waitsOf(output)),
    mayTryAgain: ({ context }, output: EffectOutput) =>
      isFailure(output) &&
      output.transient &&
      (output.heldUp === true || context.tries + 1 < context.generationTries),
    stepsUp: ({ context }, output: EffectOutput) =>
      isFailure(output) && output.stepsUp === true && context.kind === "task",
    /** A session is one conversation and has one run. */
    mayRunAgain: ({ context }, output: EffectOutput) =>
      isFailure(output) &&
      output.failure.retryable &&
      context.kind === "task" &&
      context.run <= context.retryLimit,
  },
}).createMachine({
  id: "agent",
  description:
    "One task: the durable unit of work that a parent delegates, from its acceptance to its only end.",
  context: ({ input }) => ({
    taskId: input.taskId,
    kind: input.kind,
    maxTurns: input.maxTurns,
    generationTries: input.generationTries,
    retryLimit: input.retryLimit,
    run: 1,
    turn: 0,
    turnsUsed: 0,
    turnOpen: false,
    answered: false,
    tries: 0,
    mailSeen: 0,
    mailTaken: 0,
    mailUrgent: 0,
    mailFolding: 0,
    mailHeld: 0,
    liveChildren: 0,
    waits: [],
    ticket: "normal",
    backoffMs: 0,
    failure: null,
    reason: null,
  }),
  output: ({ context }) => {
    if (context.failure) return { state: "failed", failure: context.failure };
    if (context.reason !== null) return { state: "cancelled", reason: context.reason };
    return { state: "done" };
  },
  on: {
    cancel: { target: ".cancelled", actions: "noteReason" },
    "limit.reached": {
      target: ".failed",
      actions: { type: "fail", params: ({ event }) => event.failure },
    },
    "mail.arrived": { actions: "noteMail" },
    "mail.taken": { actions: "takeMail" },
    "children.changed": { actions: "noteChildren" },
    close: { guard: "isSession", target: ".done" },
  },
  initial: "spawned",
  states: {
    spawned: {
      description: "Accepted and durable. Nothing of it runs yet.",
      on: { stop: { guard: "isSession", actions: "holdMail" } },
      initial: "queued",
      states: {
        queued: {
          description:
            "Waits for a child slot of its parent and a live place on a GPU; its position is visible.",
          on: { admitted: "starting" },
        },
        starting: {
          description: "Admitted: its workspace, model and credential are made ready.",
          tags: ["holds_place"],
          invoke: {
            src: "prepare",
            input: ({ context }) => ({ taskId: context.taskId, run: context.run }),
            onDone: [
              {
                guard: { type: "succeeded", params: itsOutput },
                target: "#agent.running",
                actions: "forgetTries",
              },
              {
                guard: { type: "mayTryAgain", params: itsOutput },
                target: "backing_off",
                actions: { type: "noteTry", params: itsOutput },
              },
              {
                guard: { type: "mayRunAgain", params: itsOutput },
                target: "backing_off",
                actions: { type: "noteFailedRun", params: itsOutput },
              },
              { target: "#agent.failed", actions: { type: "fail", params: itsFailure } },
            ],
            onError: { target: "#agent.failed", actions: { type: "fail", params: itsDefect } },
          },
        },
        backing_off: {
          description: "It could not be made ready, and will be tried again; it holds nothing but its place.",
          tags: ["holds_place"],
          entry: "armRetry",
          on: { "retry.due": "starting" },
        },
      },
    },
    running: {
      description: "A live child at work, or parked for its children, for a person, or for a while.",
      on: {
        stop: {
          guard: "isSession",
          target: ".waiting_input",
          actions: ["closeTurn", "forgetWaits", "holdMail"],
        },
      },
      // A session begins by listening; a task begins its first turn.
      initial: "beginning",
      states: {
        beginning: {
          description: "Chooses where the first run begins; never rests here.",
          always: [{ guard: "isSession", target: "waiting_input" }, { target: "next_turn" }],
        },
        next_turn: {
          description: "Another turn is due: it asks for a lease, unless no turn is left. Never rests here.",
          always: [
            { guard: "hasTurns", target: "waiting_slot" },
            { guard: "isSession", target: "waiting_input", actions: ["reportOutOfTurns", "holdMail"] },
            // What was answered stands: mail that no turn is left for is told as undelivered.
            { guard: "hasAnswerAndChildren", target: "waiting_children", actions: "holdMail" },
            { guard: "hasAnswer", target: "#agent.done" },
            {
              target: "#agent.failed",
              actions: { type: "fail", params: ({ context }) => outOfTurns(context.maxTurns) },
            },
          ],
        },
        waiting_slot: {
          description:
            "Its turn is ready; it waits for a generation lease, and for its place again if it was parked.",
          tags: ["holds_place"],
          entry: "requestLease",
          on: {
            "lease.granted": [
              { guard: "hasMail", target: "#agent.steering", actions: "openTurn" },
              { target: "generating", actions: "openTurn" },
            ],
          },
        },
        generating: {
          description: "Holds a lease: the model writes.",
          tags: ["holds_lease", "holds_place", "active_time", "interruptible"],
          on: {
            delta: {
              actions: {
                type: "stream",
                params: ({ event }) => ({ channel: event.channel, text: event.text }),
              },
            },
            preempted: { target: "waiting_slot", actions: "askInFront" },
            "mail.arrived": {
              guard: "interrupts",
              target: "#agent.steering",
              actions: ["noteMail", "replaceTurn"],
            },
          },
          invoke: {
            src: "generate",
            input: ({ context }) => ({
              taskId: context.taskId,
              turn: context.turn,
              run: context.run,
              tries: context.tries,
            }),
            onDone: [
              {
                guard: { type: "calledTools", params: itsOutput },
                target: "calling_tools",
                actions: ["keepOutcome", "closeTurn"],
              },
              {
                guard: { type: "answered", params: itsOutput },
                target: "answering",
                actions: ["keepOutcome", "closeTurn", "noteAnswer"],
              },
              {
                guard: { type: "rerouted", params: itsOutput },
                target: "waiting_slot",
                actions: ["keepOutcome", "forgetTries", "askNormally"],
              },
              {
                guard: { type: "stepsUp", params: itsOutput },
                target: "backing_off",
                actions: ["keepOutcome", { type: "noteFailedRun", params: itsOutput }, "keepRetries"],
              },
              {
                guard: { type: "mayTryAgain", params: itsOutput },
                target: "backing_off",
                actions: { type: "noteTry", params: itsOutput },
              },
              {
                guard: { type: "mayRunAgain", params: itsOutput },
                target: "backing_off",
                actions: { type: "noteFailedRun", params: itsOutput },
              },
              // A conversation outlives a failed answer; a task does not.
              { guard: "isSession", target: "waiting_input", actions: ["reportFailure", "closeTurn"] },
              { target: "#agent.failed", actions: { type: "fail", params: itsFailure } },
            ],
            onError: { target: "#agent.failed", actions: { type: "fail", params: itsDefect } },
          },
        },
        answering: {
          description:
            "The model has answered: mail, living children or the person decide what comes next. Never rests here.",
          always: [
            { guard: "hasMail", target: "next_turn" },
            { guard: "isSession", target: "waiting_input" },
            { guard: "hasChildren", target: "waiting_children" },
            { target: "#agent.done" },
          ],
        },
        calling_tools: {
          description: "Runs the tool calls of the turn, or goes on with those whose wait has ended.",
          tags: ["holds_place", "active_time"],
          invoke: {
            src: "callTools",
            input: ({ context }) => ({ taskId: context.taskId, turn: context.turn, waits: context.waits }),
            onDone: [
              {
                guard: { type: "stepsUp", params: itsOutput },
                target: "backing_off",
                actions: ["keepOutcome", { type: "noteFailedRun", params: itsOutput }, "keepRetries"],
              },
              {
                guard: { type: "mayRunAgain", params: itsOutput },
                target: "backing_off",
                actions: ["keepOutcome", { type: "noteFailedRun", params: itsOutput }],
              },
              {
                guard: { type: "failedInSession", params: itsOutput },
                target: "waiting_input",
                actions: ["keepOutcome", "reportFailure", "forgetWaits"],
              },
              {
                guard: { type: "failed", params: itsOutput },
                target: "#agent.failed",
                actions: ["keepOutcome", { type: "fail", params: itsFailure }],
              },
              {
                guard: { type: "suspendedForInput", params: itsOutput },
                target: "waiting_input",
                actions: ["keepOutcome", { type: "noteWaits", params: itsOutput }],
              },
              {
                guard: { type: "suspended", params: itsOutput },
                target: "waiting_children",
                actions: ["keepOutcome", { type: "noteWaits", params: itsOutput }],
              },
              { target: "next_turn", actions: ["keepOutcome", "forgetWaits"] },
            ],
            onError: { target: "#agent.failed", actions: { type: "fail", params: itsDefect } },
          },
        },
        waiting_children: {
          description:
            "Parked: a call waits for children, or the agent has finished and its children have not.",
          tags: ["waiting"],
          always: [
            { guard: "mailBeginsTurn", target: "next_turn", actions: "askAsResuming" },
            {
              guard: "mailBreaksWait",
              target: "calling_tools",
              actions: ["interruptWaits", "askAsResuming"],
            },
            { guard: "nothingLeft", target: "#agent.done" },
          ],
          on: {
            "wait.ended": [
              { guard: "endsLastWait", target: "calling_tools", actions: ["endWait", "askAsResuming"] },
              { actions: "endWait" },
            ],
          },
        },
        waiting_input: {
          description: "Parked for a person: a session listens, or a call waits for an answer.",
          tags: ["waiting"],
          always: [
            { guard: "mailBeginsTurn", target: "next_turn", actions: "askAsResuming" },
            { guard: "noQuestionOpen", target: "waiting_children" },
          ],
          on: {
            "wait.ended": [
              { guard: "endsLastWait", target: "calling_tools", actions: ["endWait", "askAsResuming"] },
              { actions: "endWait" },
            ],
          },
        },
        backing_off: {
          description: "A try has failed and another will be made; it holds nothing but its place.",
          tags: ["holds_place"],
          entry: "armRetry",
          on: { "retry.due": { target: "waiting_slot", actions: "askNormally" } },
        },
      },
    },
    steering: {
      description: "Keeps its lease while messages are folded into the transcript; then the model goes on.",
      tags: ["holds_lease", "holds_place", "active_time"],
      entry: "noteFold",
      on: {
        preempted: { target: "running.waiting_slot", actions: "askInFront" },
        stop: {
          guard: "isSession",
          target: "running.waiting_input",
          actions: ["closeTurn", "forgetWaits", "holdMail"],
        },
      },
      invoke: {
        src: "foldMail",
        input: ({ context }) => ({ taskId: context.taskId, turn: context.turn, run: context.run }),
        onDone: [
          // Its mail stays where it is until the person speaks again.
          {
            guard: { type: "failedInSession", params: itsOutput },
            target: "running.waiting_input",
            actions: ["reportFailure", "closeTurn", "holdMail"],
          },
          {
            guard: { type: "failed", params: itsOutput },
            target: "failed",
            actions: { type: "fail", params: itsFailure },
          },
          { guard: "mailSinceFold", target: "steering", reenter: true },
          { target: "running.generating" },
        ],
        onError: { target: "failed", actions: { type: "fail", params: itsDefect } },
      },
    },
    done: {
      type: "final",
      tags: ["terminal"],
      description: "Its agent answered and all its children have ended, or its session was closed.",
    },
    cancelled: {
      type: "final",
      tags: ["terminal"],
      description: "Called off; what was already produced is kept.",
    },
    failed: { type: "final", tags: ["terminal"], description: "No retry remains; the code says why." },
  },
});

/** Whether mail ends a wait for children: so a conversation is never blocked by a child. */
function isUrgent(context: AgentContext, event: AgentEvent): event is MailArrived {
  return event.type === "mail.arrived" && (event.interrupt || (event.person && context.kind === "session"));
}

function isPending(waits: readonly PendingWait[]): boolean {
  return waits.some((each) => each.end === null);
}

function asksPerson(waits: readonly PendingWait[]): boolean {
  return waits.some((each) => each.end === null && each.wait.for === "input");
}

/** A session's turns are counted between two words of a person: a message, or the answer to a question. */
function renewsTurns(context: AgentContext, event: AgentEvent): boolean {
  if (context.kind !== "session") return false;
  if (event.type === "mail.arrived") return event.person;
  return event.type === "wait.ended" && event.end.cause === "satisfied" && event.end.answer !== undefined;
}

/** What an effect that ended came to, for the guards and actions of `onDone` and `onError`. */
function itsOutput<T extends EffectOutput>({ event }: { readonly event: { readonly output: T } }): T {
  return event.output;
}

function itsFailure({ event }: { readonly event: { readonly output: EffectOutput } }): TaskFailure {
  return isFailure(event.output)
    ? event.output.failure
    : defectOf(`its effect ended as ${event.output.outcome}.`);
}

function itsDefect({ event }: { readonly event: { readonly error: unknown } }): TaskFailure {
  return defectOf(event.error);
}

function isFailure(output: EffectOutput): output is EffectFailure {
  return output.outcome === "failed";
}

function retryInMsOf(output: EffectOutput): number {
  return isFailure(output) ? output.retryInMs : 0;
}

function waitsOf(output: EffectOutput): readonly PendingWait[] {
  return output.outcome === "called" ? output.waits : [];
}

function outOfTurns(maxTurns: number): TaskFailure {
  return {
    code: "max_turns",
    message: `Expected to finish within ${maxTurns} turns, and another was due. Raise max_turns, or ask for less.`,
    retryable: false,
  };
}

/** An effect that rejected: a defect of Troupe, told as one. */
function defectOf(thrown: unknown): TaskFailure {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "internal", message: `Troupe failed: ${text}`, retryable: false };
}

/** Whether what has failed is a whole run, and not a try of the turn that is open, or of the preparation. */
export function isRunOver({ tries, turnOpen }: Pick<AgentContext, "tries" | "turnOpen">): boolean {
  return tries === 0 && !turnOpen;
}

export type AgentActorRef = ActorRefFrom<typeof agentMachine>;
export type AgentSnapshot = SnapshotFrom<typeof agentMachine>;
