// Conformance: sessions, which take messages and outlive what they are doing.

import { expect } from "vitest";
import { ConflictError } from "../../src/base/errors.ts";
import type { Case } from "./conformance.ts";

export function sessionCases(clause: Case): void {
  clause("a session is a live root that can be checked like a task", async ({ api }) => {
    const session = await api.createSession();
    expect(session).toMatchObject({
      kind: "session",
      parentId: null,
      rootId: session.taskId,
      finishedAt: null,
    });
    expect((await api.check(session.taskId)).taskId).toBe(session.taskId);
  });

  clause("the same idempotency key gives the same session", async ({ api }) => {
    const first = await api.createSession({ idempotencyKey: "chat-1" });
    const second = await api.createSession({ idempotencyKey: "chat-1" });
    expect(second.taskId).toBe(first.taskId);
    expect((await api.list({ kind: "session" })).items).toHaveLength(1);
  });

  clause("a child of a session belongs to it", async ({ api }) => {
    const session = await api.createSession();
    const { taskId } = await api.delegate({ goal: "child", parentId: session.taskId });
    expect(await api.check(taskId)).toMatchObject({
      parentId: session.taskId,
      rootId: session.taskId,
      sessionId: session.taskId,
    });
    expect((await api.check(session.taskId)).children).toEqual([taskId]);
  });

  clause("a message is taken once per id", async ({ api }) => {
    const session = await api.createSession();
    const first = await api.sendMessage(session.taskId, { text: "hello", messageId: "msg_1" });
    const second = await api.sendMessage(session.taskId, { text: "hello", messageId: "msg_1" });
    expect([first.steerId, second.steerId]).toEqual(["msg_1", "msg_1"]);
    expect(["queued", "delivered"]).toContain(first.state);
  });

  clause("stop cancels the children and keeps the session", async ({ api }) => {
    const session = await api.createSession();
    const { taskId } = await api.delegate({ goal: "child", parentId: session.taskId });
    const receipt = await api.stopSession(session.taskId);
    expect(receipt.cancelled).toContain(taskId);
    expect(await api.collect(taskId)).toMatchObject({ state: "cancelled" });
    expect((await api.check(session.taskId)).finishedAt).toBeNull();
    await api.sendMessage(session.taskId, { text: "and now?" });
  });

  clause("a closed session takes its children along and accepts no message", async ({ api }) => {
    const session = await api.createSession();
    const { taskId } = await api.delegate({ goal: "child", parentId: session.taskId });
    await api.closeSession(session.taskId);
    expect(await api.collect(taskId)).toMatchObject({ finished: true, state: "cancelled" });
    expect((await api.check(session.taskId)).finishedAt).not.toBeNull();
    const late = api.sendMessage(session.taskId, { text: "hello?" });
    await expect(late).rejects.toBeInstanceOf(ConflictError);
  });
}
