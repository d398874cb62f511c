// Children that ask their parents, on whole boxes: each question is read once and answered once, holds nothing meanwhile,
// survives a crash at any step, and keeps nobody waiting for ever.

import { describe, expect, test } from "vitest";
import { call, say, wait } from "../../providers/script.ts";
import { textOf } from "../../src/core/message.ts";
import { parseQuestion } from "../../src/core/transcript-marks.ts";
import type { CommitWrite, InboxMessage } from "../../src/store/store.ts";
import { goalIn, resultsIn } from "./conversation.ts";
import { NOTHING_HELD } from "./rig.ts";
import type { RestartingBox } from "./restarting.ts";
import {
  box,
  calledTools,
  deaf,
  dying,
  helpful,
  led,
  NAIVE,
  newest,
  QUESTION,
  questionsRead,
  result,
  type Manner,
} from "./asking-box.ts";

test("the control: a question that no parent hears keeps both waiting to the end of its time", async () => {
  const { it, taskId, childId } = await led(helpful, { toolsets: [NAIVE] });
  await it.clock.advance(50_000);
  expect((await it.record(childId)).phase).toBe("waiting_input");
  expect((await it.record(taskId)).phase).toBe("waiting_children");
});

describe("a child's question", () => {
  test("wakes the parent that waits for it, which answers, and both go on", async () => {
    const { it, taskId, childId } = await led(helpful);
    await it.clock.advance(2_000);
    expect(await result(it, childId)).toBe('{"answered":true,"by":"your parent","answer":"8080"}');
    expect(await result(it, taskId)).toContain("8080");
    expect(await questionsRead(it, taskId)).toBe(1);
    const resumed = await it.store.events({ after: 0, taskId, types: ["tool.resumed"] });
    expect(resumed.map(({ data }) => (data as { cause: string }).cause)).toEqual(["asked", "satisfied"]);
    // `on_interrupt: cancel` is about people: no child was called off for it.
    expect((await it.record(childId)).state).toBe("done");
  });

  test("holds nothing, shows on every surface, and ends as not answered when nobody answers", async () => {
    const { it, taskId, childId } = await led(deaf);
    await it.clock.advance(1_000);
    expect(it.rig.runtime.counts()).toMatchObject({ leases: 0, places: 0, waiting: 0 });
    const asked = { phase: "waiting_input", waitsFor: `its parent or a person: ${QUESTION}` };
    expect(await it.api.check(childId)).toMatchObject(asked);
    const [root] = await it.api.tree();
    expect(root?.children).toMatchObject([{ ...asked, lastLine: `? ${QUESTION}` }]);
    const events = await it.store.events({ after: 0, taskId: childId, types: ["tool.suspended"] });
    expect(events.map(({ data }) => data)).toMatchObject([{ prompt: QUESTION, asks: "parent" }]);
    await it.clock.advance(58_000);
    expect((await it.record(childId)).phase).toBe("waiting_input");
    await it.clock.advance(2_000);
    expect(await result(it, childId)).toContain("No answer in time: nobody answered within 60 s");
    expect(await questionsRead(it, taskId)).toBe(1);
  });

  test("is answered by a person as well, and the parent's answer that comes later is refused", async () => {
    const late: Manner = (request, question) =>
      newest(request).origin === "question" ? [wait(5_000), ...helpful(request, question)] : [say("told")];
    const { it, taskId, childId } = await led(late);
    await it.clock.advance(1_000);
    await it.api.answer(childId, { text: "443" });
    await it.clock.advance(20_000);
    expect(await result(it, childId)).toBe('{"answered":true,"by":"a person","answer":"443"}');
    expect((await it.conversation(taskId)).join("\n")).toContain("has ended (done) and takes no messages");
  });

  test("of which somebody else took the answer refuses the parent's, in words", async () => {
    const slow: Manner = (request, question) =>
      newest(request).origin === "question" ? [wait(5_000), ...helpful(request, question)] : [say("told")];
    const it = box(slow, {
      reply: (request) => {
        const goal = goalIn(request);
        if (goal === "lead" && !calledTools(request))
          return [call("delegate_task", { tasks: [{ goal: "child", toolsets: ["ask"] }] })];
        if (goal === "child")
          return calledTools(request)
            ? [wait(60_000), say("ok")]
            : [call("ask_parent", { question: QUESTION })];
        const questions = request.messages.flatMap((each) => parseQuestion(textOf(each)) ?? []);
        return slow(request, questions.at(-1) ?? null);
      },
    });
    const { taskId } = await it.api.delegate({ goal: "lead", role: "orchestrator" });
    await it.clock.advance(500);
    const [childId = ""] = (await it.api.check(taskId)).children;
    await it.api.answer(childId, { text: "443" });
    await it.clock.advance(20_000);
    expect((await it.conversation(taskId)).join("\n")).toContain("asks nothing now: somebody has answered");
  });

  test("goes with the child that is called off", async () => {
    const { it, taskId, childId } = await led(deaf);
    await it.clock.advance(1_000);
    await it.api.cancel(childId);
    await it.clock.advance(1_000);
    expect((await it.record(childId)).state).toBe("cancelled");
    expect((await it.record(taskId)).state).toBe("done");
    expect(it.rig.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("waits on over a restart, to the same end, and is read once", async () => {
    const { it, taskId, childId } = await led(deaf);
    await it.clock.advance(1_000);
    await it.restart();
    await it.clock.advance(50_000);
    expect((await it.record(childId)).phase).toBe("waiting_input");
    await it.clock.advance(10_000);
    expect(await result(it, childId)).toContain("No answer in time");
    expect(await questionsRead(it, taskId)).toBe(1);
  });

  test("is answered after a restart", async () => {
    const { it, childId } = await led(deaf);
    await it.clock.advance(1_000);
    await it.restart();
    await it.api.answer(childId, { text: "443", questionId: "call_1_1" });
    await it.clock.advance(1_000);
    expect(await result(it, childId)).toBe('{"answered":true,"by":"a person","answer":"443"}');
  });

  test("reaches the parent when the server dies in the moment in which it was asked", async () => {
    const { it, taskId, childId, death } = await dying(
      (name, args) =>
        name === "commit" &&
        (args[2] as CommitWrite).outbox?.some(({ message }) => message.kind === "question") === true,
    );
    await it.clock.advance(2_000);
    expect(death.came).toBe(true);
    expect(await questionsRead(it, taskId)).toBe(0);
    await it.start();
    await it.clock.advance(5_000);
    expect(await questionsRead(it, taskId)).toBe(1);
    expect(await result(it, childId)).toContain('"by":"your parent"');
    expect(await result(it, taskId)).toContain("8080");
  });

  test("is answered once, also when the server dies while the answer is given", async () => {
    const { it, taskId, childId, death } = await dying(
      (name, args) => name === "send" && (args[1] as InboxMessage).kind === "answer",
    );
    await it.clock.advance(2_000);
    expect(death.came).toBe(true);
    await it.start();
    await it.clock.advance(5_000);
    expect(await result(it, childId)).toBe('{"answered":true,"by":"your parent","answer":"8080"}');
    const told = (await it.conversation(taskId)).join("\n");
    expect(told).not.toContain("asks nothing now");
    expect(await result(it, taskId)).toContain("8080");
  });

  test("wakes a parent that waits for another child, once, and that one goes on", async () => {
    const both: Manner = (request, question) => {
      const [first] = resultsIn(request.messages) as { readonly task_id: string }[];
      if (first === undefined) return [call("delegate_task_async", { goal: "child", toolsets: ["ask"] })];
      if (newest(request).origin === "question") return helpful(request, question);
      return [call("delegate_task", { goal: "busy" })];
    };
    const it = box(both);
    const { taskId } = await it.api.delegate({ goal: "two", role: "orchestrator" });
    await it.clock.advance(2_000);
    const states = await Promise.all(
      (await it.api.check(taskId)).children.map(async (id) => (await it.record(id)).state),
    );
    expect(states.toSorted()).toEqual(["done", "running", "running"]);
    expect(await questionsRead(it, taskId)).toBe(1);
    const resumed = await it.store.events({ after: 0, taskId, types: ["tool.resumed"] });
    expect(resumed.map(({ data }) => (data as { cause: string }).cause)).toEqual(["asked"]);
  });

  test("of a task that no agent delegated is a person's to answer", async () => {
    const it = box(helpful);
    const { taskId } = await it.api.delegate({ goal: "child", toolsets: ["ask"] });
    await it.clock.advance(1_000);
    expect(await it.api.check(taskId)).toMatchObject({ waitsFor: `a person: ${QUESTION}` });
    await it.api.answer(taskId, { text: "80" });
    await it.clock.advance(1_000);
    expect(await result(it, taskId)).toBe('{"answered":true,"by":"a person","answer":"80"}');
  });

  test("to a session reaches its agent, and wakes it from its rest", async () => {
    const answering: Manner = (request, question) => {
      if (newest(request).origin === "question") return helpful(request, question);
      if (newest(request).origin !== "person") return [say("ok")];
      return [call("delegate_task_async", { goal: "child", toolsets: ["ask"] })];
    };
    const it = box(answering);
    const { taskId } = await it.api.createSession();
    await it.api.sendMessage(taskId, { text: "go" });
    await it.clock.advance(5_000);
    const [childId = ""] = (await it.api.check(taskId)).children;
    expect(await result(it, childId)).toContain('"by":"your parent"');
    expect(await questionsRead(it, taskId)).toBe(1);
  });

  test("of a conversation is refused: it talks with a person", async () => {
    const it = box((request) =>
      calledTools(request) ? [say("ok")] : [call("ask_parent", { question: "hm?" })],
    );
    const { taskId } = await it.api.createSession();
    await it.api.sendMessage(taskId, { text: "go" });
    await it.clock.advance(1_000);
    expect((await it.conversation(taskId)).join("\n")).toContain("Write your question as your answer");
  });
});

describe("a child that outlives its parent", () => {
  const detached = async (
    it: RestartingBox,
  ): Promise<{ readonly taskId: string; readonly childId: string }> => {
    const lead = await it.api.delegate({ goal: "busy", role: "orchestrator" });
    await it.clock.advance(10);
    const child = await it.api.delegate({
      goal: "child",
      parentId: lead.taskId,
      detached: true,
      toolsets: ["ask"],
    });
    return { taskId: lead.taskId, childId: child.taskId };
  };

  test("is refused at once when it asks then", async () => {
    const it = box(helpful);
    const { taskId, childId } = await detached(it);
    await it.api.cancel(taskId);
    await it.clock.advance(1_000);
    expect(await result(it, childId)).toContain("Your parent has ended");
  });

  test.each([false, true])(
    "is told at once when its parent ends while it waits; restarted: %s",
    async (restarts) => {
      const it = box(helpful);
      const { taskId, childId } = await detached(it);
      await it.clock.advance(1_000);
      expect((await it.record(childId)).phase).toBe("waiting_input");
      if (restarts) await it.restart();
      await it.api.cancel(taskId);
      await it.clock.advance(1_000);
      expect(await result(it, childId)).toContain("Your parent has ended");
    },
  );
});
