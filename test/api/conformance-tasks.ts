// Conformance: delegating, looking, listing, steering, cancelling, reporting.

import { expect } from "vitest";
import { ConflictError, InvalidRequestError, NotFoundError } from "../../src/base/errors.ts";
import type { TroupeApi } from "../../src/core/api.ts";
import type { Case } from "./conformance.ts";

const GHOST = `task_${"0".repeat(32)}`;

/** Everything that takes the id of a task. */
const BY_TASK: Readonly<Record<string, (api: TroupeApi, id: string) => Promise<unknown>>> = {
  check: (api, id) => api.check(id),
  collect: (api, id) => api.collect(id, { timeoutMs: 0 }),
  steer: (api, id) => api.steer(id, { message: "hello" }),
  cancel: (api, id) => api.cancel(id),
  transcript: (api, id) => api.transcript(id),
  answer: (api, id) => api.answer(id, { text: "yes" }),
  reportProgress: (api, id) => api.reportProgress(id, { percent: 1 }),
  tree: (api, id) => api.tree(id),
  sendMessage: (api, id) => api.sendMessage(id, { text: "hello" }),
  stopSession: (api, id) => api.stopSession(id),
  closeSession: (api, id) => api.closeSession(id),
};

export function taskCases(clause: Case): void {
  clause("A1 delegate returns a live task's id at once", async ({ api }) => {
    const handle = await api.delegate({ goal: "count the stars" });
    expect(handle).toMatchObject({ created: true });
    expect(handle.taskId).toMatch(/^task_[0-9a-f]{32}$/);
    const view = await api.check(handle.taskId);
    expect(view).toMatchObject({
      taskId: handle.taskId,
      kind: "task",
      goal: "count the stars",
      parentId: null,
      rootId: handle.taskId,
      sessionId: null,
      failure: null,
      finishedAt: null,
    });
    expect(["spawned", "running"]).toContain(view.state);
  });

  clause("delegate refuses an empty goal and makes nothing", async ({ api }) => {
    for (const goal of ["", "  \n\t"]) {
      await expect(api.delegate({ goal })).rejects.toBeInstanceOf(InvalidRequestError);
    }
    expect((await api.list()).items).toEqual([]);
  });

  clause("A2 every call by id refuses an unknown task as task_not_found", async ({ api }) => {
    const codes: Record<string, unknown> = {};
    for (const [name, call] of Object.entries(BY_TASK)) {
      const error = await call(api, GHOST).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      codes[name] = error instanceof NotFoundError ? error.code : error;
    }
    expect(codes).toEqual(Object.fromEntries(Object.keys(BY_TASK).map((name) => [name, "task_not_found"])));
  });

  clause("delegate refuses an unknown parent", async ({ api }) => {
    await expect(api.delegate({ goal: "a", parentId: GHOST })).rejects.toBeInstanceOf(NotFoundError);
  });

  clause("the same idempotency key with the same request gives the same task", async ({ api }) => {
    const request = { goal: "once", context: "only", idempotencyKey: "key-1" };
    const first = await api.delegate(request);
    const second = await api.delegate(request);
    expect(second).toMatchObject({ taskId: first.taskId, created: false });
    expect((await api.list()).items).toHaveLength(1);
  });

  clause("a reused idempotency key with another request is a conflict", async ({ api }) => {
    await api.delegate({ goal: "one", idempotencyKey: "key-1" });
    await expect(api.delegate({ goal: "two", idempotencyKey: "key-1" })).rejects.toBeInstanceOf(
      ConflictError,
    );
    expect((await api.list()).items).toHaveLength(1);
  });

  clause("delegateBatch spawns all in the order asked", async ({ api }) => {
    const handles = await api.delegateBatch([{ goal: "a" }, { goal: "b" }, { goal: "c" }]);
    const goals = await Promise.all(handles.map(async ({ taskId }) => (await api.check(taskId)).goal));
    expect(goals).toEqual(["a", "b", "c"]);
  });

  clause("delegateBatch spawns nothing when one request is refused", async ({ api }) => {
    const refused = api.delegateBatch([{ goal: "a" }, { goal: "" }, { goal: "c" }]);
    await expect(refused).rejects.toBeInstanceOf(InvalidRequestError);
    expect((await api.list()).items).toEqual([]);
  });

  clause("list pages through everything once, by cursor", async ({ api }) => {
    const made: string[] = [];
    for (let i = 0; i < 5; i += 1) made.push((await api.delegate({ goal: `goal ${i}` })).taskId);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await api.list(cursor === undefined ? { limit: 2 } : { limit: 2, cursor });
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map((view) => view.taskId));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen.toSorted()).toEqual(made.toSorted());
  });

  clause("list filters by state, kind, parent and root", async ({ api, finishTask }) => {
    const session = await api.createSession();
    const child = await api.delegate({ goal: "child", parentId: session.taskId });
    const other = await api.delegate({ goal: "other" });
    await finishTask(other.taskId, "done");
    const ids = async (query: Parameters<TroupeApi["list"]>[0]): Promise<string[]> =>
      (await api.list(query)).items.map((view) => view.taskId);
    expect(await ids({ state: "done" })).toEqual([other.taskId]);
    expect(await ids({ kind: "session" })).toEqual([session.taskId]);
    expect(await ids({ parentId: session.taskId })).toEqual([child.taskId]);
    expect((await ids({ rootId: session.taskId })).toSorted()).toEqual(
      [session.taskId, child.taskId].toSorted(),
    );
  });

  clause("a steer has a receipt that the task's view shows", async ({ api }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    const receipt = await api.steer(taskId, { message: "faster" });
    expect(receipt).toMatchObject({ taskId, interrupt: false });
    expect(["queued", "delivered"]).toContain(receipt.state);
    const { steers } = await api.check(taskId);
    expect(steers.map(({ steerId }) => steerId)).toEqual([receipt.steerId]);
  });

  clause("a steer sent twice under one id is taken once", async ({ api }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    const first = await api.steer(taskId, { message: "faster", steerId: "steer_1" });
    const second = await api.steer(taskId, { message: "faster", steerId: "steer_1" });
    expect([first.steerId, second.steerId]).toEqual(["steer_1", "steer_1"]);
    expect((await api.check(taskId)).steers).toHaveLength(1);
  });

  clause("a steer after the end is refused as task_ended", async ({ api, finishTask }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    await finishTask(taskId, "arrived");
    const error = await api.steer(taskId, { message: "faster" }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConflictError);
    expect(error).toMatchObject({ code: "task_ended", details: { state: "done" } });
  });

  clause("cancel marks the whole subtree and may be repeated", async ({ api }) => {
    const session = await api.createSession();
    const one = await api.delegate({ goal: "one", parentId: session.taskId });
    const two = await api.delegate({ goal: "two", parentId: session.taskId });
    const receipt = await api.cancel(session.taskId, { reason: "enough" });
    expect(receipt.cancelled.toSorted()).toEqual([session.taskId, one.taskId, two.taskId].toSorted());
    for (const { taskId } of [one, two]) {
      expect(await api.collect(taskId)).toMatchObject({ finished: true, state: "cancelled" });
    }
    await api.collect(session.taskId);
    expect(await api.cancel(session.taskId)).toMatchObject({ cancelled: [], state: "cancelled" });
  });

  clause("cancel keeps a result that was there before", async ({ api, finishTask }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    await finishTask(taskId, "arrived");
    expect(await api.cancel(taskId)).toMatchObject({ cancelled: [], state: "done" });
    expect(await api.collect(taskId)).toMatchObject({ state: "done", result: "arrived" });
  });

  clause("progress is shown, and somebody else's JSON in it stays as it is", async ({ api }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    const partial = { camelKey: 1, snake_key: [{ innerKey: null }] };
    await api.reportProgress(taskId, { percent: 40, note: "half way", partial });
    expect((await api.check(taskId)).progress).toMatchObject({ percent: 40, note: "half way", partial });
  });

  clause("an answer to a task that asks nothing is a conflict", async ({ api, finishTask }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    await finishTask(taskId, "arrived");
    await expect(api.answer(taskId, { text: "yes" })).rejects.toBeInstanceOf(ConflictError);
  });

  clause("the tree shows children below their parent", async ({ api }) => {
    const session = await api.createSession();
    const child = await api.delegate({ goal: "child", parentId: session.taskId });
    const [root] = await api.tree(session.taskId);
    expect(root).toMatchObject({ taskId: session.taskId, kind: "session" });
    expect(root?.children.map(({ taskId }) => taskId)).toEqual([child.taskId]);
    expect((await api.tree()).map(({ taskId }) => taskId)).toEqual([session.taskId]);
  });

  clause("the transcript begins with the goal and pages by index", async ({ api, finishTask }) => {
    const { taskId } = await api.delegate({ goal: "walk the dog" });
    await finishTask(taskId, "walked");
    const all = await api.transcript(taskId);
    expect(all.items.map(({ index }) => index)).toEqual(all.items.map((_, i) => i + 1));
    expect(JSON.stringify(all.items.filter(({ message }) => message.origin === "goal"))).toContain(
      "walk the dog",
    );
    expect(JSON.stringify(all.items.at(-1))).toContain("walked");
    const first = await api.transcript(taskId, { limit: 1 });
    const second = await api.transcript(taskId, { after: Number(first.nextCursor), limit: 1 });
    expect([...first.items, ...second.items]).toEqual(all.items.slice(0, 2));
  });
}
