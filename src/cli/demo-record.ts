// What happened in the demo, folded from the session's own events as they come, and from what the scripted person and
// parent did. It asks nobody and decides nothing; figures, checks and the screen all read it.
//
// D1. Every time is the store's clock, at the commit of the event; a first token is the moment in which it was shown.
// D2. A message waits from being sent until its turn is handed to the model server: the rest is the model's own time.

import type { EventData, EventFrame, EventType, StoredEvent } from "../core/event.ts";
import { isTerminal, type Phase } from "../core/lifecycle.ts";
import type { Call, Child, Entry, Message, Wait } from "./demo-facts.ts";
import { duration, plural, shortId } from "./demo-words.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Handlers = { readonly [T in EventType]?: (event: StoredEvent, data: EventData[T]) => void };

const ENDS: ReadonlySet<EventType> = new Set(["task.done", "task.failed", "task.cancelled"]);

export class DemoRecord {
  readonly sessionId: string;
  readonly #now: () => number;
  readonly #entries: Mutable<Entry>[] = [];
  readonly #messages: Mutable<Message>[] = [];
  readonly #calls: Call[] = [];
  readonly #waits: Wait[] = [];
  readonly #children = new Map<string, Mutable<Child>>();
  readonly #open = new Map<string, { readonly tool: string; readonly time: number }>();
  /** Delegating calls of the turn that is running its tools. */
  #batch: Call[] = [];
  #phase: Phase | null = null;
  #typed: string | null = null;
  #problem: string | null = null;

  constructor(sessionId: string, now: () => number) {
    this.sessionId = sessionId;
    this.#now = now;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }
  get messages(): readonly Message[] {
    return this.#messages;
  }
  get calls(): readonly Call[] {
    return this.#calls;
  }
  get waits(): readonly Wait[] {
    return this.#waits;
  }
  /** In the order in which they were spawned. */
  get children(): readonly Child[] {
    return [...this.#children.values()];
  }
  get alive(): number {
    return this.children.filter((child) => !isTerminal(child.state)).length;
  }
  /** What stands in the person's input line; `null` when nothing does. */
  get typed(): string | null {
    return this.#typed;
  }
  /** Why the parent's model gave no answer, last; `null` when it did. */
  get problem(): string | null {
    return this.#problem;
  }
  /** The parent listens, and has answered everything. */
  get idle(): boolean {
    return this.#phase === "waiting_input" && this.#messages.every(({ turn }) => turn !== null);
  }

  type(text: string | null): void {
    this.#typed = text;
  }

  /** The person pressed Enter. */
  said(text: string): void {
    this.#typed = null;
    this.#entries.push({ who: "person", text, done: true, tree: false });
  }

  /** The message is kept up to date from now on. */
  sent(id: string, text: string, sentAt: number): Message {
    const message: Mutable<Message> = {
      id,
      text,
      sentAt,
      aliveWhenSent: this.alive,
      aliveWhenAnswered: null,
      turn: null,
      submittedAt: null,
      firstTokenAt: null,
      answeredAt: null,
      answer: null,
    };
    this.#messages.push(message);
    return message;
  }

  /** A call over the API, by the scripted parent. */
  called(call: Call): void {
    this.#calls.push(call);
  }

  note(text: string, tree = false): void {
    this.#entries.push({ who: "note", text, done: true, tree });
  }

  /** The server was killed. */
  died(text: string): void {
    this.#entries.push({ who: "crash", text, done: true, tree: false });
  }

  apply(frame: EventFrame): void {
    if (frame.kind === "event") this.#fact(frame.event);
    else if (frame.kind === "delta" && frame.taskId === this.sessionId && frame.channel === "text") {
      this.#wrote(frame.text);
    }
  }

  #fact(event: StoredEvent): void {
    const ofSession = event.taskId === this.sessionId;
    if (event.type === "lease.granted" || event.type === "task.admitted") {
      const { waitedMs } = event.data as EventData["lease.granted" | "task.admitted"];
      const what = event.type === "lease.granted" ? "slot" : "place";
      this.#waits.push({ taskId: event.taskId, for: what, ms: waitedMs });
    }
    const handlers: Handlers = ofSession ? this.#ofSession : this.#ofChild;
    const handle = handlers[event.type] as ((event: StoredEvent, data: unknown) => void) | undefined;
    handle?.(event, event.data);
    if (ofSession) {
      this.#phase = event.phase;
      return;
    }
    const child = this.#children.get(event.taskId);
    if (!child) return;
    child.turn = event.turn;
    // An event has the state that its commit leads to: a child has ended once its own end was told, not before.
    if (isTerminal(event.state) && !ENDS.has(event.type)) return;
    Object.assign(child, { state: event.state, phase: event.phase });
  }

  readonly #ofSession: Handlers = {
    "steer.delivered": (event, { steerId }) => {
      const message = this.#messages.find(({ id }) => id === steerId);
      if (message) Object.assign(message, { turn: event.turn, submittedAt: event.time });
    },
    "turn.started": (event) => {
      for (const message of this.#waitingIn(event.turn)) message.submittedAt = event.time; // keeps D2
    },
    "turn.finished": (event, { toolCalls }) => {
      // A turn that only calls tools shows no token: its first one came no later than its end.
      for (const message of this.#waitingIn(event.turn)) message.firstTokenAt = event.time;
      if (toolCalls > 0) this.#finishEntry(null);
    },
    "answer.finished": (event, { text }) => {
      this.#problem = null;
      this.#finishEntry(text);
      for (const message of this.#messages) {
        if (message.turn === null || message.answeredAt !== null) continue;
        Object.assign(message, { answeredAt: event.time, answer: text, aliveWhenAnswered: this.alive });
      }
    },
    "tool.requested": (event, { callId, tool }) => void this.#open.set(callId, { tool, time: event.time }),
    "tool.finished": (event, { callId, tool, isError, ms }) => {
      const since = this.#open.get(callId)?.time ?? event.time;
      const call = { name: tool, failed: isError, ms: Math.max(ms, event.time - since) };
      this.#open.delete(callId);
      this.#calls.push(call);
      this.#batch.push(call);
      if (this.#open.size === 0) this.#batchDone();
    },
    "child.completed": (_, { childId, state }) => {
      const child = this.#children.get(childId);
      if (!child) return;
      child.returned = true;
      this.note(`${shortId(childId)} came back by itself: ${state}`, true);
    },
    "task.resumed": (_, { was }) => {
      // What a generation had written is written again.
      const live = this.#entries.findLast((entry) => entry.who === "parent" && !entry.done);
      if (live) live.text = "";
      this.note(`the conversation goes on: it was ${was}`);
    },
    "run.failed": (_, { message }) => {
      this.#problem = message;
      this.#finishEntry(null);
      this.note(`the parent's model failed: ${message}`);
    },
  };

  readonly #ofChild: Handlers = {
    "task.spawned": (event, { goal }) => {
      this.#children.set(event.taskId, {
        taskId: event.taskId,
        goal,
        spawnedAt: event.time,
        state: event.state,
        phase: event.phase,
        turn: 0,
        startedAt: null,
        endedAt: null,
        steers: new Map(),
        cancelledFrom: null,
        returned: false,
      });
    },
    "task.resumed": (event, { was }) => this.note(`${shortId(event.taskId)} goes on: it was ${was}`),
    "task.started": (event) => this.#change(event, { startedAt: event.time }),
    "task.done": (event) => this.#change(event, { endedAt: event.time }),
    "task.failed": (event, { message }) => {
      this.#change(event, { endedAt: event.time });
      this.note(`${shortId(event.taskId)} failed: ${message}`);
    },
    "task.cancelled": (event) => {
      this.#change(event, { endedAt: event.time });
      const from = this.#children.get(event.taskId)?.cancelledFrom;
      if (!from) return;
      const where = from.phase === null ? from.state : `${from.state}, ${from.phase}`;
      const ms = event.time - from.time;
      const when = ms < 1 ? "at once" : `${duration(ms)} later`;
      this.note(`${shortId(event.taskId)} cancelled while ${where}; ended ${when}`, true);
    },
    "steer.queued": (event, { steerId }) => {
      // Told again after a restart.
      if (this.#children.get(event.taskId)?.steers.has(steerId)) return;
      this.#steer(event, steerId, { state: "queued", turn: null });
      this.note(`steer for ${shortId(event.taskId)}: queued`);
    },
    "steer.delivered": (event, { steerId }) => {
      this.#steer(event, steerId, { state: "delivered", turn: event.turn });
      this.note(`steer for ${shortId(event.taskId)}: delivered, its turn ${event.turn} reads it`, true);
    },
    "steer.undelivered": (event, { steerId, reason }) => {
      this.#steer(event, steerId, { state: "undelivered", turn: null });
      this.note(`steer for ${shortId(event.taskId)}: undelivered (${reason})`);
    },
    // The state before: the event's own is already that of its commit.
    "cancel.requested": (event) => {
      const { state, phase } = this.#children.get(event.taskId) ?? event;
      this.#change(event, { cancelledFrom: { state, phase, time: event.time } });
    },
    "generation.preempted": (event) =>
      this.note(`${shortId(event.taskId)} makes room: the conversation's patience was over`),
  };

  #change(event: StoredEvent, change: Partial<Child>): void {
    const child = this.#children.get(event.taskId);
    if (child) Object.assign(child, change);
  }

  #steer(
    event: StoredEvent,
    id: string,
    steer: { readonly state: string; readonly turn: number | null },
  ): void {
    const child = this.#children.get(event.taskId);
    if (child) child.steers = new Map(child.steers).set(id, steer);
  }

  /** Messages that a turn has taken and of whose answer nothing was seen yet. */
  #waitingIn(turn: number): readonly Mutable<Message>[] {
    return this.#messages.filter((message) => message.turn === turn && message.firstTokenAt === null);
  }

  #wrote(text: string): void {
    for (const message of this.#messages) {
      if (message.turn !== null && message.firstTokenAt === null) message.firstTokenAt = this.#now();
    }
    const live = this.#entries.findLast((entry) => entry.who === "parent" && !entry.done);
    if (live) live.text += text;
    else this.#entries.push({ who: "parent", text, done: false, tree: false });
  }

  /** `text` is the whole answer; `null` keeps what was seen of it. */
  #finishEntry(text: string | null): void {
    const live = this.#entries.findLast((entry) => entry.who === "parent" && !entry.done);
    if (live) Object.assign(live, { done: true, text: text ?? live.text });
    else if (text !== null && text !== "")
      this.#entries.push({ who: "parent", text, done: true, tree: false });
  }

  #batchDone(): void {
    const delegated = this.#batch.filter((call) => call.name === "delegate_task_async" && !call.failed);
    this.#batch = [];
    if (delegated.length === 0) return;
    const ms = Math.max(...delegated.map((call) => call.ms));
    this.note(`${plural(delegated.length, "task id")} in ${duration(ms)}; the conversation goes on`, true);
  }
}
