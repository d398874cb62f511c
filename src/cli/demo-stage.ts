// The story on the stage: the scripted person's lines, each sent when what it needs has happened. A parent that
// delegates by itself is only talked to; a scripted one is played here, over the API bound to its session.
//
// G1. Nothing is sent on luck: a steer and a cancel go to a task that was seen alive, a question while children run.
// G2. What does not happen ends the wait for it: the checks of the report say so, and the story goes on.

import { delay } from "../base/clock.ts";
import { messageOf, toTroupeError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { World } from "../compose.ts";
import type { TaskApi } from "../core/api.ts";
import { isTerminal } from "../core/lifecycle.ts";
import { SCRIPTED_CHILD } from "./demo-box.ts";
import type { Message } from "./demo-facts.ts";
import type { DemoRecord } from "./demo-record.ts";
import type { Crash } from "./demo-crash.ts";
import {
  AFTERWARDS,
  CANCEL,
  CANCELLED,
  CRASH_REQUEST,
  GOALS,
  QUESTION,
  REQUEST,
  STEER,
  STEER_TEXT,
  STEERED,
} from "./demo-story.ts";
import type { DemoWatch } from "./demo-watch.ts";
import { duration, shortId } from "./demo-words.ts";

export interface StageOptions {
  /** The person's. */
  readonly api: TaskApi;
  readonly record: DemoRecord;
  readonly watch: DemoWatch;
  readonly world: Pick<World, "clock" | "random">;
  readonly signal: AbortSignal;
  /** Milliseconds for each typed character; 0 sends at once. */
  readonly typingMs: number;
}

/** Characters that appear at once; timers are too coarse for single ones. */
const KEYS_AT_ONCE = 2;
/** From this turn of a child on, nobody takes the time to type: it must still be at work when the line has its effect. */
const HURRY_TURN = 4;

export class DemoStage {
  readonly #options: StageOptions;

  constructor(options: StageOptions) {
    this.#options = options;
  }

  /** A parent that is asked in words and delegates with its tools. Contract: rejects only when the signal aborts. */
  async playWithModel(): Promise<void> {
    const { record } = this.#options;
    await this.#ask(REQUEST);
    if (record.alive > 0) await this.#ask(QUESTION);
    if (this.#isAlive(STEERED)) await this.#ask(STEER);
    if (this.#isAlive(CANCELLED)) await this.#ask(CANCEL);
    await this.#untilOver();
  }

  /** As with a model, and a kill where it hurts most. Contract: also rejects when the server does not come back. */
  async playThroughCrash(crash: Crash): Promise<void> {
    const { api, record, watch, world } = this.#options;
    await this.#ask(CRASH_REQUEST);
    if (record.alive > 0) await this.#ask(QUESTION);
    const [first, steered, cancelled] = record.children;
    if (!first || !steered || !cancelled) return this.#untilOver();
    await watch.until(() => isTerminal(first.state) && first.returned && record.idle);
    await crash.prepare();
    await this.#write(CANCEL);
    await watch.until(() => (record.idle && steered.phase === "generating") || isTerminal(steered.state));
    record.said(CANCEL);
    const message = await this.#send(CANCEL);
    // One slot: this child writes, and the person's turn goes next. No turn of its own can read the steer before (G1).
    record.note(`from a second terminal: tasks steer ${shortId(steered.taskId)} "${STEER_TEXT}"`);
    const steerId = newId("steer", world.random);
    await this.#call("steer", () => api.steer(steered.taskId, { message: STEER_TEXT, steerId }));
    await crash.strike({ steeredId: steered.taskId, steerId, message });
    await watch.until(() => this.#isSettled(message));
    await this.#ask(AFTERWARDS);
    await this.#untilOver();
  }

  /** `parent` is the API as the session's own tools have it. Contract: as above. */
  async playScripted(parent: TaskApi): Promise<void> {
    const { record, watch } = this.#options;
    await this.#type(REQUEST);
    await this.#delegateAll(parent);
    const [kept, steered, cancelled] = record.children;
    if (!kept || !steered || !cancelled) return this.#untilOver();
    // Children start in order, one at a time: this one has not begun, and cannot end before it reads this (G1).
    await this.#call("steer_task", () => parent.steer(steered.taskId, { message: STEER_TEXT }));
    await watch.until(() => kept.phase === "generating" || isTerminal(kept.state));
    await watch.until(() => cancelled.startedAt !== null || isTerminal(cancelled.state));
    record.said(QUESTION);
    const question = await this.#send(QUESTION);
    // The session's turn goes first and holds the slot now: the third child still stands in line (G1).
    await watch.until(() => question.turn !== null || this.#gaveUp());
    await this.#call("cancel_task", () => parent.cancel(cancelled.taskId, { reason: "no longer needed" }));
    await watch.until(() => this.#isSettled(question));
    await this.#untilOver();
  }

  async #delegateAll(parent: TaskApi): Promise<void> {
    const { record, watch } = this.#options;
    const times: number[] = [];
    for (const goal of GOALS) {
      times.push(await this.#call("delegate", () => parent.delegate({ goal, agent: SCRIPTED_CHILD })));
    }
    record.note(
      `the scripted parent has ${times.length} task ids; each took at most ${duration(Math.max(...times))}`,
    );
    const delegated = record.calls.filter((call) => !call.failed).length;
    await watch.until(() => record.children.length >= delegated);
  }

  /** Types a line, sends it, and reads the answer before anything else. */
  async #ask(text: string): Promise<void> {
    await this.#type(text);
    const message = await this.#send(text);
    await this.#options.watch.until(() => this.#isSettled(message));
  }

  /** Shows a line as if it were typed, and presses Enter. */
  async #type(text: string): Promise<void> {
    await this.#write(text);
    this.#options.record.said(text);
    this.#options.watch.changed();
  }

  /** Shows a line as if it were typed. */
  async #write(text: string): Promise<void> {
    const { record, world, signal, typingMs } = this.#options;
    for (
      let end = KEYS_AT_ONCE;
      typingMs > 0 && end < text.length && !this.#mustHurry();
      end += KEYS_AT_ONCE
    ) {
      record.type(text.slice(0, end));
      await delay(world.clock, typingMs * KEYS_AT_ONCE, signal);
    }
    if (typingMs > 0) record.type(text);
  }

  /** Typing is a show and takes time, in which the children work on (keeps G1). */
  #mustHurry(): boolean {
    return [STEERED, CANCELLED].some((index) => {
      const child = this.#options.record.children[index];
      return child !== undefined && (child.turn >= HURRY_TURN || isTerminal(child.state));
    });
  }

  /** The message is in the record before it is in the store, so that no event of it can come too early. */
  async #send(text: string): Promise<Message> {
    const { api, record, world } = this.#options;
    const messageId = newId("msg", world.random);
    const message = record.sent(messageId, text, world.clock.now());
    await api.sendMessage(record.sessionId, { text, messageId });
    return message;
  }

  /** Makes a call of the parent's and takes its time. What it refuses is recorded (G2). */
  async #call(name: string, work: () => Promise<unknown>): Promise<number> {
    const { record, watch, world } = this.#options;
    const since = world.clock.monotonic();
    let failed = false;
    try {
      await work();
    } catch (thrown) {
      failed = true;
      if (toTroupeError(thrown).kind === "internal") throw thrown;
      record.note(`${name} was refused: ${messageOf(thrown)}`);
    }
    const ms = world.clock.monotonic() - since;
    record.called({ name, ms, failed });
    watch.changed();
    return ms;
  }

  #isAlive(index: number): boolean {
    const child = this.#options.record.children[index];
    return child !== undefined && !isTerminal(child.state);
  }

  /** The parent's model failed and waits for the person: no answer will come by itself. */
  #gaveUp(): boolean {
    const { record } = this.#options;
    return record.problem !== null && record.idle;
  }

  #isSettled(message: Message): boolean {
    return message.answeredAt !== null || (message.turn !== null && this.#gaveUp());
  }

  /** Every child has ended, the parent has heard of each, and has said what it had to say. */
  #untilOver(): Promise<void> {
    const { record, watch } = this.#options;
    return watch.until(
      () => record.children.every((child) => isTerminal(child.state) && child.returned) && record.idle,
    );
  }
}
