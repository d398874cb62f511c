// `troupe tasks tail`: the last lines of a task, and with `--follow` what it writes from then on. Output goes to
// stdout; what happens to the task goes to stderr.

import type { EventFrame } from "../core/event.ts";
import { isTerminal } from "../core/lifecycle.ts";
import { AnswerLines } from "./answer-lines.ts";
import type { Command } from "./command.ts";
import { connect, findTask } from "./connection.ts";
import type { Printer } from "./printer.ts";
import { eventText, isEnd, timeOfDay } from "./task-lines.ts";

export const tailTask: Command = async (invocation) => {
  const { words, flags, printer, world } = invocation;
  const api = await connect(invocation);
  const taskId = await findTask(api, words[0] as string);
  const task = await api.check(taskId);
  const { state, phase, tail, lastEvent } = task;
  printer.document({ taskId, state, phase, tail });
  for (const line of tail) printer.data(line);
  if (isTerminal(state) || !flags.has("follow")) {
    printer.note([["dim", phase === null ? state : `${state}, ${phase}`]]);
    return "ok";
  }
  const follower = new Follower(printer, lastEvent);
  // From the beginning, so that an end between the two calls is not missed; what is known already is skipped.
  for await (const frame of api.events({ after: 0, taskId, deltas: true, signal: world.signal })) {
    if (follower.take(frame)) return "ok";
  }
  return "interrupted";
};

/** Shows the frames of one task. */
class Follower {
  readonly #printer: Printer;
  readonly #known: number;
  readonly #output = new AnswerLines(() => Infinity);

  /** `known` is the number of the last event that needs no telling. */
  constructor(printer: Printer, known: number) {
    this.#printer = printer;
    this.#known = known;
  }

  /** True once the task has ended. */
  take(frame: EventFrame): boolean {
    if (frame.kind === "delta") {
      this.#printer.document(frame);
      if (frame.channel === "text")
        for (const line of this.#output.push(frame.text)) this.#printer.data(line);
      return false;
    }
    if (frame.kind === "gap") {
      // The first one says only that the server no longer has what was before.
      if (frame.after > 0) this.#printer.warn("Some of what happened was missed.");
      return false;
    }
    const { event } = frame;
    if (event.seq > this.#known) {
      this.#printer.document(frame);
      if (/^(turn|tool|task|run|generation)\./.test(event.type)) this.#flush();
      const text = eventText(event);
      if (text !== null) this.#printer.note([["dim", `${timeOfDay(event.time)} ${text}`]]);
    }
    return isEnd(event);
  }

  #flush(): void {
    for (const line of this.#output.end()) this.#printer.data(line);
  }
}
