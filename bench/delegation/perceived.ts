// For the record: how long a person waits for an answer when the parent delegates and waits, and when it delegates and
// goes on, with the same three children. The figures of the source text (211 s and under 4 s) are scaled down a
// hundred times, so that a child takes 2.07 s and a turn of the parent 20 ms.

import { systemClock } from "../../src/base/clock.ts";
import { textOf } from "../../src/core/message.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import type { Reply } from "../../providers/scripted.ts";
import { call, say, wait } from "../../providers/script.ts";
import { benchRig } from "../rig.ts";

export const SCALE = 100;
const CHILD_MS = 2_070;
const TURN_MS = 20;
const GOALS = ["first", "second", "third"].map((each) => `slow ${each}`);

export interface Perceived {
  readonly blockingMs: number;
  readonly asyncMs: number;
  readonly problems: readonly string[];
}

type Mode = "blocking" | "async";

function replyOf(mode: Mode): (request: GenerateRequest) => Reply {
  return ({ messages }) => {
    if (messages.some((each) => textOf(each).startsWith("slow"))) return [wait(CHILD_MS), say("Done.")];
    const turn = wait(TURN_MS);
    if (messages.at(-1)?.role === "tool") return [turn, say(mode === "blocking" ? "All done." : "Started.")];
    if (messages.at(-1)?.origin === "completion") return [turn, say("One is done.")];
    if (mode === "blocking") return [turn, call("delegate_task", { tasks: GOALS.map((goal) => ({ goal })) })];
    return [turn, ...GOALS.map((goal) => call("delegate_task_async", { goal }))];
  };
}

/** Milliseconds from the person's message to the answer that follows it. */
async function answerTime(
  mode: Mode,
): Promise<{ readonly ms: number; readonly problems: readonly string[] }> {
  const rig = benchRig({ slots: 4, reply: replyOf(mode) });
  const session = (await rig.api.createSession({})).taskId;
  const abort = new AbortController();
  const answered = (async () => {
    for await (const frame of rig.api.events({ taskId: session, after: 0, signal: abort.signal })) {
      if (frame.kind === "event" && frame.event.type === "answer.finished") return systemClock.monotonic();
    }
    throw new Error("The stream ended before the answer.");
  })();
  const start = systemClock.monotonic();
  await rig.api.sendMessage(session, { text: "Find out three things." });
  const ms = (await answered) - start;
  abort.abort();
  const children = await rig.store.list({ parentId: session });
  await Promise.all(children.items.map((child) => rig.api.collect(child.spec.id)));
  const counts = await rig.store.counts();
  await rig.close();
  return { ms, problems: counts.done === GOALS.length ? [] : [`${mode}: ${counts.done} children done`] };
}

export async function perceived(): Promise<Perceived> {
  const blocking = await answerTime("blocking");
  const async = await answerTime("async");
  return { blockingMs: blocking.ms, asyncMs: async.ms, problems: [...blocking.problems, ...async.problems] };
}
