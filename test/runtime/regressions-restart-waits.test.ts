// Answers of people and the questions that they end, over restarts: each of these answers once went astray, was taken
// for another's, or broke a wait that it had nothing to do with.

import { describe, expect, test } from "vitest";
import { call, say, wait } from "../../providers/script.ts";
import { delay } from "../../src/base/clock.ts";
import type { Tool, Toolset } from "../../src/core/tool.ts";
import type { Reply } from "../../providers/scripted.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import { goalIn } from "./conversation.ts";
import { RestartingBox } from "./restarting.ts";
import { agentNamed } from "./rig.ts";

interface Asking {
  readonly toolset: Toolset;
  /** What each call that went on was answered. */
  readonly heard: unknown[];
}

/** A tool that asks a person, after `workMs` of work. */
function asking({ workMs = 0, repeatable = true } = {}): Asking {
  const heard: unknown[] = [];
  const tool: Tool = {
    definition: { name: "ask", description: "Asks.", parameters: { type: "object" } },
    repeatable,
    run: async (_input, { clock }) => {
      if (workMs > 0) await delay(clock, workMs);
      return { type: "suspended", wait: { for: "input", prompt: "?" } };
    },
    resume: async (_input, { end }) => {
      const answer = "answer" in end ? end.answer : end.cause;
      heard.push(answer);
      return { type: "result", value: `answered ${String(answer)}` };
    },
  };
  return { heard, toolset: { name: "asking", description: "Asks.", tools: () => [tool] } };
}

const asks =
  (questions: number) =>
  ({ messages }: GenerateRequest): Reply =>
    messages.some(({ role }) => role === "tool")
      ? [wait(50), say("done")]
      : Array.from({ length: questions }, () => call("ask", {}));

/** A task whose questions wait for a person. */
async function questioned(
  questions: number,
  { toolset }: Asking,
): Promise<{ readonly box: RestartingBox; readonly taskId: string }> {
  const box = new RestartingBox({ toolsets: [toolset], reply: asks(questions) });
  const { taskId } = await box.api.delegate({ goal: "dig", toolsets: ["asking"] });
  await box.clock.advance(1_000);
  expect((await box.record(taskId)).phase).toBe("waiting_input");
  return { box, taskId };
}

/** Stops by itself, as on a signal, and starts again. */
async function restartGently(box: RestartingBox): Promise<void> {
  const draining = box.rig.runtime.drain(1_000);
  await box.clock.advance(2_000);
  await draining;
  await box.rig.runtime.close();
  await box.restart();
}

describe("W1 each answer ends one wait, once", () => {
  test("two answers that are sent together end two questions", async () => {
    const ask = asking();
    const { box, taskId } = await questioned(2, ask);
    await Promise.all(["one", "two"].map((text) => box.api.answer(taskId, { text })));
    await box.clock.advance(5_000);
    expect(ask.heard).toEqual(["one", "two"]);
    expect((await box.record(taskId)).state).toBe("done");
  });

  test("an answer that came in the moment of the server's death ends the question that was left", async () => {
    const ask = asking();
    const { box, taskId } = await questioned(2, ask);
    await box.api.answer(taskId, { text: "one" });
    await box.clock.advance(100);
    await box.store.send(taskId, { kind: "answer", id: "msg_last", from: "person:x", text: "two" });
    await box.restart();
    await box.clock.advance(5_000);
    expect(ask.heard).toEqual(["one", "two"]);
    expect((await box.record(taskId)).state).toBe("done");
  });

  test("one answer ends one of two questions, over a graceful stop too", async () => {
    const ask = asking({ workMs: 500 });
    const { box, taskId } = await questioned(2, ask);
    await box.api.answer(taskId, { text: "one" });
    await box.clock.advance(100);
    await restartGently(box);
    await box.clock.advance(2_000);
    expect(ask.heard).toEqual([]);
    expect((await box.record(taskId)).phase).toBe("waiting_input");
    await box.api.answer(taskId, { text: "two" });
    await box.clock.advance(5_000);
    expect(ask.heard).toEqual(["one", "two"]);
  });
});

test("a question stands at the end of what its task shows, after a restart too", async () => {
  const ask = asking();
  const { box, taskId } = await questioned(1, ask);
  const shown = async () => (await box.api.check(taskId)).tail.at(-1);
  expect(await shown()).toBe("? ?");
  await restartGently(box);
  await box.clock.advance(1_000);
  expect(await shown()).toBe("? ?");
  await box.api.answer(taskId, { text: "yes" });
  await box.clock.advance(2_000);
  expect(await shown()).toBe("done");
});

test("K2 of two answers to one question, the second is a message to the model", async () => {
  const ask = asking();
  const { box, taskId } = await questioned(1, ask);
  await Promise.all(["one", "no, two"].map((text) => box.api.answer(taskId, { text })));
  await box.clock.advance(2_000);
  expect(await box.conversation(taskId)).toEqual([
    "user dig",
    "assistant → ask",
    "tool answered one",
    "user no, two",
    "assistant done",
  ]);
});

test("K2 an answer that was heard before a restart breaks no other wait after it", async () => {
  const { toolset } = asking();
  const toolsets = ["asking", "delegation"];
  const box = new RestartingBox({
    toolsets: [toolset],
    settings: { sessionAgent: agentNamed("session", { toolsets, role: "orchestrator" }) },
    reply: (request) => {
      if (goalIn(request) === "child") return [wait(5_000), say("gold")];
      const isAsked = request.messages.at(-1)?.origin === "person";
      return isAsked ? [call("ask", {}), call("delegate_task", { goal: "child" })] : [say("ok")];
    },
  });
  const { taskId } = await box.api.createSession();
  await box.api.sendMessage(taskId, { text: "go" });
  await box.clock.advance(200);
  await box.api.answer(taskId, { text: "yes" });
  await box.clock.advance(200);
  expect((await box.record(taskId)).phase).toBe("waiting_children");
  await box.restart();
  await box.clock.advance(20_000);
  const told = (await box.conversation(taskId)).filter((line) => line.startsWith("tool"));
  expect(told).toEqual(["tool answered yes", expect.stringContaining("gold")]);
  expect(told.join()).not.toContain("interrupted");
});

test("a call that waits for an answer goes on after a restart, though its tool must not be repeated", async () => {
  const ask = asking({ repeatable: false });
  const { box, taskId } = await questioned(1, ask);
  await box.restart();
  await box.api.answer(taskId, { text: "one" });
  await box.clock.advance(5_000);
  expect(ask.heard).toEqual(["one"]);
  expect(await box.conversation(taskId)).toEqual([
    "user dig",
    "assistant → ask",
    "tool answered one",
    "assistant done",
  ]);
});
