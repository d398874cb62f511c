// Conformance: the stream of events.

import { expect } from "vitest";
import type { EventsQuery, TroupeApi } from "../../src/core/api.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { Case } from "./conformance.ts";

/** Reads events until one satisfies `last`, then leaves the stream. */
async function readUntil(
  api: TroupeApi,
  query: EventsQuery,
  last: (event: StoredEvent) => boolean,
): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const frame of api.events(query)) {
    if (frame.kind !== "event") continue;
    events.push(frame.event);
    if (last(frame.event)) break;
  }
  return events;
}

const isEnd = (event: StoredEvent): boolean => /^task\.(done|failed|cancelled)$/.test(event.type);

export function eventCases(clause: Case): void {
  clause("a task's events are gapless from 1, and cursors only rise", async ({ api, finishTask }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    await finishTask(taskId, "arrived");
    const events = await readUntil(api, { after: 0, taskId }, isEnd);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    const cursors = events.map(({ cursor }) => cursor);
    expect(cursors).toEqual(cursors.toSorted((a, b) => a - b));
    expect(new Set(cursors).size).toBe(cursors.length);
    expect(events[0]).toMatchObject({ type: "task.spawned", taskId, data: { goal: "walk" } });
    expect(events.filter(isEnd)).toHaveLength(1);
  });

  clause("a reader resumes after a cursor and misses nothing", async ({ api, finishTask }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    await finishTask(taskId, "arrived");
    const all = await readUntil(api, { after: 0, taskId }, isEnd);
    const cut = all[0] as StoredEvent;
    expect(await readUntil(api, { after: cut.cursor, taskId }, isEnd)).toEqual(all.slice(1));
  });

  clause("a reader that waits sees what happens then", async ({ api, finishTask }) => {
    const first = await api.delegate({ goal: "first" });
    const [spawned] = await readUntil(api, { after: 0 }, (event) => event.taskId === first.taskId);
    const reading = readUntil(api, { after: spawned?.cursor ?? 0 }, isEnd);
    const second = await api.delegate({ goal: "second" });
    await finishTask(second.taskId, "done");
    const events = await reading;
    expect(events.map(({ taskId, type }) => [taskId, type])).toContainEqual([second.taskId, "task.spawned"]);
    expect(events.at(-1)).toMatchObject({ taskId: second.taskId, type: "task.done" });
  });

  clause("history is what a stream showed, in pages, of all or of some", async ({ api, finishTask }) => {
    const session = await api.createSession();
    const child = await api.delegate({ goal: "child", parentId: session.taskId });
    await finishTask((await api.delegate({ goal: "stranger" })).taskId, "done");
    await finishTask(child.taskId, "done");
    const shown = await readUntil(api, { after: 0, taskId: child.taskId }, isEnd);
    const pages: StoredEvent[] = [];
    let after: number | undefined;
    for (;;) {
      const page = await api.history({
        limit: 2,
        taskId: child.taskId,
        ...(after !== undefined && { after }),
      });
      expect(page.items.length).toBeLessThanOrEqual(2);
      pages.push(...page.items);
      if (page.nextCursor === null) break;
      after = Number(page.nextCursor);
    }
    expect(pages.slice(0, shown.length)).toEqual(shown);
    const { items: ofRoot } = await api.history({ rootId: session.taskId });
    expect(new Set(ofRoot.map(({ rootId }) => rootId))).toEqual(new Set([session.taskId]));
    const { items: all, nextCursor } = await api.history();
    const cursors = all.map(({ cursor }) => cursor);
    expect([cursors, nextCursor]).toEqual([cursors.toSorted((a, b) => a - b), null]);
    expect(new Set(all.map(({ taskId }) => taskId)).size).toBe(3);
  });

  clause("history of a task that is not there is refused", async ({ api }) => {
    await expect(api.history({ taskId: "task_none" })).rejects.toMatchObject({ code: "task_not_found" });
    await expect(api.history({ rootId: "task_none" })).rejects.toMatchObject({ code: "task_not_found" });
  });

  clause("filters by task and by root", async ({ api, finishTask }) => {
    const session = await api.createSession();
    const child = await api.delegate({ goal: "child", parentId: session.taskId });
    const stranger = await api.delegate({ goal: "stranger" });
    await finishTask(stranger.taskId, "done");
    await finishTask(child.taskId, "done");
    const ofTask = await readUntil(api, { after: 0, taskId: child.taskId }, isEnd);
    expect(new Set(ofTask.map(({ taskId }) => taskId))).toEqual(new Set([child.taskId]));
    const ofRoot = await readUntil(api, { after: 0, rootId: session.taskId }, isEnd);
    expect(new Set(ofRoot.map(({ rootId }) => rootId))).toEqual(new Set([session.taskId]));
    expect(ofRoot.map(({ taskId }) => taskId)).toContain(child.taskId);
  });

  clause("an aborted reader ends without an error", async ({ api }) => {
    await api.delegate({ goal: "walk" });
    const stop = new AbortController();
    let seen = 0;
    for await (const frame of api.events({ after: 0, signal: stop.signal })) {
      if (frame.kind === "event") seen += 1;
      stop.abort();
    }
    expect(seen).toBeGreaterThanOrEqual(1);
  });

  clause("a steer, a cancel and progress are events of the task", async ({ api }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    const { steerId } = await api.steer(taskId, { message: "faster" });
    await api.reportProgress(taskId, { percent: 10, note: "on the way" });
    await api.cancel(taskId, { reason: "enough" });
    const events = await readUntil(api, { after: 0, taskId }, isEnd);
    const types = events.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(["steer.queued", "task.progressed", "task.cancelled"]));
    expect(events.find(({ type }) => type === "steer.queued")?.data).toMatchObject({ steerId });
  });
}
