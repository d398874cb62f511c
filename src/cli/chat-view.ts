// A session as its chat shows it: answers as they are written, and the ends of children as lines. It only reads the
// stream of events.
//
// A1. Every answer is shown whole: what streamed, plus what the stream missed.
// A2. An answer that was broken off is ended, so that the next one begins on a line of its own.

import type { EventData, EventFrame, StoredEvent } from "../core/event.ts";
import { SERVER_AWAY, type State } from "../core/lifecycle.ts";
import type { AnswerLines } from "./answer-lines.ts";
import type { ChatOutput } from "./chat-output.ts";
import { shortId } from "./connection.ts";
import { oneLine } from "./printable.ts";
import { endLine, isEnd } from "./task-lines.ts";

export interface ChatViewOptions {
  readonly sessionId: string;
  readonly output: ChatOutput;
  readonly lines: AnswerLines;
}

export class ChatView {
  readonly #sessionId: string;
  readonly #output: ChatOutput;
  readonly #lines: AnswerLines;
  /** What streamed of the answer under way. */
  #streamed = "";
  readonly #goals = new Map<string, string>();
  /** What calls of each task ask, by call. */
  readonly #asked = new Map<string, Map<string, string>>();
  #ended: State | null = null;

  constructor({ sessionId, output, lines }: ChatViewOptions) {
    this.#sessionId = sessionId;
    this.#output = output;
    this.#lines = lines;
  }

  /** How the session ended; `null` while it lives. */
  get ended(): State | null {
    return this.#ended;
  }

  /** The one question of a task that was shown and is open; `null` where there is none, or no telling which. */
  askedBy(taskId: string): string | null {
    const [asked = null, ...more] = new Set(this.#asked.get(taskId)?.values());
    return more.length > 0 ? null : asked;
  }

  /** The person stopped what was being written (keeps A2). No event of the stream says so in time. */
  stopped(): void {
    this.#breakOff();
  }

  take(frame: EventFrame): void {
    if (frame.kind === "delta") {
      if (frame.taskId === this.#sessionId && frame.channel === "text") this.#write(frame.text);
    } else if (frame.kind === "event") {
      this.#noteResumed(frame.event);
      if (frame.event.taskId === this.#sessionId) this.#ofSession(frame.event);
      else this.#ofChild(frame.event);
    } else if (frame.after > 0)
      this.#output.notice("Some of what happened was missed; /tree shows how it stands.");
  }

  /** A session's own question is answered in the conversation, a child's by a command. */
  #asks(event: StoredEvent): void {
    const { callId, prompt, asks } = event.data as EventData["tool.suspended"];
    if (prompt === undefined) return;
    const { taskId } = event;
    const id = shortId(taskId);
    const whom =
      asks === "parent" ? ` its parent; you may answer too (/answer ${id} text)` : ` (/answer ${id} yes)`;
    const how = taskId === this.#sessionId ? "" : whom;
    const open = this.#asked.get(taskId) ?? new Map<string, string>();
    this.#asked.set(taskId, open.set(callId, prompt));
    this.#output.document({ kind: "question", taskId, prompt });
    for (const line of prompt.split("\n")) this.#output.notice([["yellow", `? ${line}`]]);
    if (how !== "") this.#output.notice([["dim", `  ${id} asks${how}`]]);
  }

  /** A call that goes on asks no more. */
  #noteResumed(event: StoredEvent): void {
    if (event.type !== "tool.resumed") return;
    this.#asked.get(event.taskId)?.delete((event.data as EventData["tool.resumed"]).callId);
  }

  #ofSession(event: StoredEvent): void {
    switch (event.type) {
      case "tool.suspended":
        return this.#asks(event);
      case "answer.finished":
        return this.#finish((event.data as EventData["answer.finished"]).text);
      case "turn.finished":
        // Without tool calls the answer itself follows; with them, what was said before the calls ends here.
        if ((event.data as EventData["turn.finished"]).toolCalls > 0) this.#breakOff();
        return;
      case "task.rerouted": {
        this.#breakOff();
        const { from, to, reason } = event.data as EventData["task.rerouted"];
        this.#output.document({ kind: "trouble", type: event.type, message: reason });
        this.#output.notice([["yellow", `${to} answers instead of ${from}: ${reason}`]]);
        return;
      }
      case "generation.preempted":
      case "generation.retried":
      case "run.failed": {
        this.#breakOff();
        const { code, message } = event.data as Partial<EventData["run.failed"]>;
        if (message === undefined) return;
        const asks = code === SERVER_AWAY ? "Waiting" : "The model is asked again";
        const word = event.type === "run.failed" ? "The model failed" : asks;
        this.#output.document({ kind: "trouble", type: event.type, message });
        this.#output.notice([["yellow", `${word}: ${message}`]]);
        return;
      }
      default:
        if (!isEnd(event)) return;
        this.#breakOff();
        this.#ended = event.state;
    }
  }

  #ofChild(event: StoredEvent): void {
    const { taskId } = event;
    if (event.type === "tool.suspended") this.#asks(event);
    else if (event.type === "task.spawned") {
      const { goal } = event.data as EventData["task.spawned"];
      this.#goals.set(taskId, goal);
      this.#output.document({ kind: "task", taskId, state: event.state, goal });
      this.#output.notice([["dim", `+ ${shortId(taskId)} ${oneLine(goal, 80)}`]]);
    } else if (isEnd(event)) {
      const goal = this.#goals.get(taskId) ?? "";
      const { message } = event.data as Partial<EventData["task.failed"]>;
      this.#goals.delete(taskId);
      this.#asked.delete(taskId);
      this.#output.document({ kind: "task", taskId, state: event.state, goal });
      this.#output.notice([["dim", "= "], ...endLine(taskId, event.state, goal)]);
      if (message !== undefined) this.#output.notice([["red", `  ${message}`]]);
    }
  }

  #write(text: string): void {
    this.#streamed += text;
    for (const line of this.#lines.push(text)) this.#output.say(line);
    this.#output.live(this.#lines.rest);
  }

  #finish(text: string): void {
    const seen = this.#streamed;
    this.#streamed = "";
    this.#output.document({ kind: "answer", text });
    if (seen !== text && seen.startsWith(text)) {
      // The stream may bring the first words of the next answer before the event that ends this one.
      const next = seen.slice(text.length);
      for (const line of this.#lines.endBefore(next)) this.#output.say(line);
      this.#streamed = next;
      return this.#output.live(this.#lines.rest);
    }
    // Keeps A1: deltas may be dropped, or belong to a try that came to nothing.
    if (text.startsWith(seen)) this.#write(text.slice(seen.length));
    else {
      this.#breakOff();
      this.#write(text);
    }
    this.#breakOff();
  }

  /** Keeps A2. */
  #breakOff(): void {
    this.#streamed = "";
    const last = this.#lines.end();
    this.#output.live("");
    for (const line of last) this.#output.say(line);
  }
}
