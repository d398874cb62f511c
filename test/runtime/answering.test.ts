// Answers and the questions that they are for: an answer that says what it is for reaches nothing else, and one that is
// sent again is the same.

import { describe, expect, test } from "vitest";
import { OPERATOR } from "../../src/runtime/runtime.ts";
import { box, helpful, QUESTION } from "./asking-box.ts";

/** A task that asks a person. */
async function asking() {
  const it = box(helpful);
  const { taskId } = await it.api.delegate({ goal: "child", toolsets: ["ask"] });
  await it.clock.advance(1_000);
  const answers = async () =>
    (await it.store.inbox(taskId, 0)).flatMap(({ message }) => (message.kind === "answer" ? [message] : []));
  return { it, taskId, answers };
}

const REFUSED = { code: "nothing_asked", kind: "conflict" };

describe("an answer", () => {
  test("that names nothing goes to whatever is asked", async () => {
    const { it, taskId, answers } = await asking();
    await it.api.answer(taskId, { text: "80" });
    expect(await answers()).toEqual([
      expect.not.objectContaining({ questionId: expect.anything() as string }),
    ]);
  });

  test.each([{ questionId: "call_1_1" }, { asked: QUESTION }])(
    "that names %j is bound to that call",
    async (named) => {
      const { it, taskId, answers } = await asking();
      await it.api.answer(taskId, { text: "80", ...named });
      expect(await answers()).toMatchObject([{ text: "80", questionId: "call_1_1" }]);
      await it.clock.advance(1_000);
      expect((await it.record(taskId)).end?.result).toContain('"answer":"80"');
    },
  );

  test.each([
    { questionId: "call_9_9" },
    { asked: "another?" },
    { questionId: "call_1_1", asked: "another?" },
  ])("that names %j, which nobody asks, is refused and leaves nothing", async (named) => {
    const { it, taskId, answers } = await asking();
    await expect(it.api.answer(taskId, { text: "80", ...named })).rejects.toMatchObject(REFUSED);
    expect(await answers()).toEqual([]);
  });

  test("that is sent again is the same, whatever is asked by then", async () => {
    const { it, taskId, answers } = await asking();
    const answer = { text: "80", asked: QUESTION, answerId: "msg_1" };
    const first = await it.api.answer(taskId, answer);
    const second = await it.api.answer(taskId, answer);
    expect(second.steerId).toBe(first.steerId);
    expect(await answers()).toHaveLength(1);
    const other = it.api.answer(taskId, { text: "81", answerId: "msg_1" });
    await expect(other).rejects.toMatchObject({ code: "message_reused" });
  });

  test("to a task that has ended is refused as such, whatever it names", async () => {
    const { it, taskId } = await asking();
    await it.api.cancel(taskId);
    await it.clock.advance(1_000);
    const late = it.api.answer(taskId, { text: "80", asked: QUESTION });
    await expect(late).rejects.toMatchObject({ code: "task_ended" });
  });

  test("of an agent is refused when nobody asks it", async () => {
    const { it, taskId } = await asking();
    const agent = it.rig.runtime.as({ ...OPERATOR, taskId });
    await it.api.answer(taskId, { text: "80" });
    await it.clock.advance(10);
    await expect(agent.answer(taskId, { text: "81" })).rejects.toMatchObject({ kind: "conflict" });
  });
});
