import { expect, test } from "vitest";
import { call, say, wait } from "../../providers/script.ts";
import { textOf } from "../../src/core/message.ts";
import { rig } from "./rig.ts";

test("a delegated task runs, answers and leaves nothing behind", async () => {
  const { api, clock, runtime } = rig({ reply: () => [wait(50), say("42")] });
  const handle = await api.delegate({ goal: "What is six times seven?" });
  expect(handle.taskId).toMatch(/^task_[0-9a-f]{32}$/);
  await clock.advance(100);
  const result = await api.collect(handle.taskId, { timeoutMs: 0 });
  expect(result).toMatchObject({ finished: true, state: "done", result: "42" });
  expect(runtime.counts()).toEqual({ slots: 0, places: 0, leases: 0, waiting: 0, living: 0 });
});

test("a session delegates, is never blocked, and hears of the end", async () => {
  const { api, clock } = rig({
    reply: (request) => {
      const last = request.messages.at(-1);
      const text = last ? textOf(last) : "";
      if (request.model === "child") return [wait(1000), say("done: found it")];
      if (text.startsWith("[task finished]")) return [say(`heard: ${text.split("\n")[1]}`)];
      if (last?.role === "tool") return [say("started")];
      if (text === "go") return [call("delegate_task_async", { goal: "look" })];
      return [say(`you said ${text}`)];
    },
  });
  const session = await api.createSession();
  await api.sendMessage(session.taskId, { text: "go" });
  await clock.advance(10);
  expect((await api.tree(session.taskId))[0]?.children[0]?.state).toBe("running");
  await clock.advance(2000);
  const rows = await api.transcript(session.taskId);
  expect(rows.items.map((row) => `${row.message.role}: ${textOf(row.message)}`)).toEqual([
    "user: go",
    "assistant: ",
    "tool: ",
    "assistant: started",
    expect.stringMatching(/^user: \[task finished\] task_\w+ done: look\ndone: found it$/),
    "assistant: heard: done: found it",
  ]);
  expect((await api.check(session.taskId)).phase).toBe("waiting_input");
});
