// The record of the demo: times and states from events, told one by one.

import { describe, expect, it } from "vitest";
import { CHILD, delta, event, recordAt, SESSION, spawned } from "./demo-events.ts";

const finished = { reason: "stop", toolCalls: 0, promptTokens: 1, outputTokens: 1 };

describe("DemoRecord", () => {
  it("D2 counts a message's wait to the start of the turn that takes it, and shows its first token", () => {
    let now = 0;
    const record = recordAt(() => now);
    record.apply(spawned());
    const message = record.sent("msg_1", "How far are they?", 1_000);
    record.apply(event("turn.started", { messages: 1 }, { turn: 2, time: 1_300 }));
    record.apply(event("steer.delivered", { steerId: "msg_1" }, { turn: 2, time: 1_300 }));
    record.apply(event("turn.started", { messages: 1 }, { turn: 2, time: 1_310 }));
    now = 1_500;
    record.apply(delta("They"));
    now = 1_600;
    record.apply(delta(" work."));
    record.apply(event("turn.finished", finished, { turn: 2, time: 1_700 }));
    record.apply(event("answer.finished", { text: "They work." }, { turn: 2, time: 1_700 }));
    expect(message).toMatchObject({ submittedAt: 1_310, firstTokenAt: 1_500, answeredAt: 1_700 });
    expect(message).toMatchObject({ answer: "They work.", aliveWhenSent: 1, aliveWhenAnswered: 1 });
    expect(record.entries).toEqual([{ who: "parent", text: "They work.", done: true, tree: false }]);
  });

  it("takes the end of a turn for its first token when the turn only called tools", () => {
    const record = recordAt(() => 0);
    const message = record.sent("msg_1", "Cancel it.", 1_000);
    record.apply(event("steer.delivered", { steerId: "msg_1" }, { turn: 1, time: 1_100 }));
    record.apply(event("turn.finished", { ...finished, toolCalls: 1 }, { turn: 1, time: 1_400 }));
    expect(message).toMatchObject({ firstTokenAt: 1_400, answeredAt: null });
  });

  it("D1 takes a call as long as its tool says, or as its commits lie apart, whichever is longer", () => {
    const record = recordAt(() => 0);
    const call = { callId: "call_1", tool: "delegate_task_async" };
    record.apply(event("tool.requested", { ...call, input: {} }, { time: 1_000 }));
    record.apply(event("tool.finished", { ...call, isError: false, chars: 1, ms: 3 }, { time: 1_009 }));
    expect(record.calls).toEqual([{ name: "delegate_task_async", failed: false, ms: 9 }]);
    expect(record.entries.at(-1)?.text).toBe("1 task id in 9 ms; the conversation goes on");
  });

  it("knows where a child was when its cancel came, not where the cancel left it", () => {
    const record = recordAt(() => 0);
    record.apply(spawned());
    record.apply(event("turn.started", { messages: 1 }, { taskId: CHILD }));
    const cancelled = { taskId: CHILD, state: "cancelled", phase: null, time: 2_000 } as const;
    record.apply(event("cancel.requested", { reason: "no need", force: false }, cancelled));
    record.apply(
      event("task.cancelled", { reason: "no need", resultKept: false }, { ...cancelled, time: 2_005 }),
    );
    expect(record.children[0]).toMatchObject({
      state: "cancelled",
      endedAt: 2_005,
      cancelledFrom: { state: "running", phase: "generating", time: 2_000 },
    });
    expect(record.entries.at(-1)?.text).toBe(
      "task_aaaaaa cancelled while running, generating; ended 5 ms later",
    );
    expect(record.alive).toBe(0);
  });

  it("follows a steer from queued to delivered, and an end back to the parent", () => {
    const record = recordAt(() => 0);
    record.apply(spawned());
    record.apply(event("steer.queued", { steerId: "steer_1", interrupt: false }, { taskId: CHILD }));
    expect(record.children[0]?.steers.get("steer_1")).toEqual({ state: "queued", turn: null });
    record.apply(event("steer.delivered", { steerId: "steer_1" }, { taskId: CHILD, turn: 3 }));
    expect(record.children[0]?.steers.get("steer_1")).toEqual({ state: "delivered", turn: 3 });
    record.apply(event("child.completed", { childId: CHILD, state: "done" }));
    expect(record.children[0]?.returned).toBe(true);
  });

  it("takes a child for ended when its end is told, and not by an earlier event of that commit", () => {
    const record = recordAt(() => 0);
    record.apply(spawned());
    const ended = { taskId: CHILD, state: "done", phase: null } as const;
    record.apply(event("turn.finished", finished, ended));
    expect(record.alive).toBe(1);
    record.apply(event("task.done", { resultChars: 1, truncated: false }, ended));
    expect(record.children[0]).toMatchObject({ state: "done", phase: null });
  });

  it("says who goes on after a restart, forgets what a cut answer had shown, and repeats no steer", () => {
    const record = recordAt(() => 0);
    record.apply(spawned());
    const queued = event("steer.queued", { steerId: "steer_1", interrupt: false }, { taskId: CHILD });
    record.apply(queued);
    record.apply(delta("Half an ans"));
    record.died("pid 7.");
    const data = { policy: "resume", was: "generating", resumes: 1 };
    record.apply(event("task.resumed", data));
    record.apply(event("task.resumed", data, { taskId: CHILD }));
    record.apply(queued);
    record.apply(delta("A whole answer."));
    expect(record.entries.map(({ who, text }) => [who, text])).toEqual([
      ["note", "steer for task_aaaaaa: queued"],
      ["parent", "A whole answer."],
      ["crash", "pid 7."],
      ["note", "the conversation goes on: it was generating"],
      ["note", "task_aaaaaa goes on: it was generating"],
    ]);
  });

  it("is idle when the parent listens and every message was taken", () => {
    const record = recordAt(() => 0);
    expect(record.idle).toBe(false);
    record.apply(event("task.started", {}, { phase: "waiting_input" }));
    expect(record.idle).toBe(true);
    record.sent("msg_1", "Hello", 0);
    expect(record.idle).toBe(false);
  });

  it("keeps why the parent's model failed until it answers again", () => {
    const record = recordAt(() => 0);
    record.apply(delta("Half an ans"));
    record.apply(event("run.failed", { code: "network", message: "gone", retryInMs: null }));
    expect(record.problem).toBe("gone");
    expect(record.entries[0]).toMatchObject({ text: "Half an ans", done: true });
    record.apply(event("answer.finished", { text: "Back." }));
    expect(record.problem).toBeNull();
  });

  it("gathers waits for slots and places of everybody", () => {
    const record = recordAt(() => 0);
    record.apply(event("lease.granted", { leaseId: "l", backend: "b", waitedMs: 12 }));
    record.apply(event("task.admitted", { waitedMs: 7 }, { taskId: CHILD }));
    expect(record.waits).toEqual([
      { taskId: SESSION, for: "slot", ms: 12 },
      { taskId: CHILD, for: "place", ms: 7 },
    ]);
  });
});
