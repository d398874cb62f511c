// One row that cannot be read must cost its own task alone.

import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { lineLogger } from "../../src/base/log.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { checkSqlite } from "../../src/store/sqlite-maintenance.ts";
import { databaseFolder, opened } from "./sqlite-files.ts";
import { ended, EVER, idsOf, spent, STARTED, submitted, workspaceOf } from "./specimens.ts";

const pathFor = databaseFolder();

/** A closed file with three tasks of one box, of which the second has a bad row. */
async function damagedFile(sql: string): Promise<string> {
  const path = pathFor();
  const store = opened(path);
  for (const id of ["t1", "t2", "t3"]) await submitted(store, id, { workspace: workspaceOf("box") });
  await store.close();
  edited(path, sql);
  return path;
}

function edited(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

const BAD = {
  "a spec that is cut": "UPDATE tasks SET spec = substr(spec, 1, 50) WHERE num = 2",
  "a number beyond exact ones": "UPDATE heads SET cost_micros = 9007199254740993 WHERE num = 2",
  "a snapshot that is no JSON": "INSERT INTO snapshots (num, snapshot) VALUES (2, '{x')",
} as const;

describe("a row that cannot be read", () => {
  it.each(Object.entries(BAD))("%s holds its task aside, and the others go on", async (_, sql) => {
    const path = await damagedFile(sql);
    const lines: string[] = [];
    const store = opened(path, { logger: lineLogger((line) => lines.push(line)) });
    const claims = await store.claim({ owner: "owner-a", boxId: "box", ttlMs: 60_000, max: 9 });
    expect(claims.map(({ taskId }) => taskId)).toEqual(["t1", "t3"]);
    for (const claim of claims) {
      await expect(store.commit(claim, 1, { events: [STARTED] })).resolves.toMatchObject({ seq: 2 });
    }
    expect(lines).toEqual([expect.stringMatching(/held aside.*"t2"/)]);
    expect(await store.claim({ owner: "owner-a", boxId: "box", ttlMs: 60_000, max: 9 })).toEqual([]);
    await store.close();
    expect(checkSqlite(path).findings.map(({ tasks }) => tasks)).toEqual([[2]]);
  });

  it.each(Object.entries(BAD).slice(0, 2))("%s is left out of lists, page by page", async (_, sql) => {
    const store = opened(await damagedFile(sql));
    expect(await idsOf(store)).toEqual(["t1", "t3"]);
    const first = await store.list({ limit: 2 });
    expect(first.items.map(({ spec }) => spec.id)).toEqual(["t1"]);
    const second = await store.list({
      limit: 2,
      ...(first.nextCursor !== null && { cursor: first.nextCursor }),
    });
    expect(second.items.map(({ spec }) => spec.id)).toEqual(["t3"]);
    expect(second.nextCursor).toBeNull();
    await store.close();
  });

  it.each([
    {
      name: "a spec that is cut",
      sql: BAD["a spec that is cut"],
      expected: ["t1", "t2", "t3"],
      said: /spec of a task.*"t2"/,
    },
    {
      name: "data that is no JSON",
      sql: "UPDATE events SET data = '{' WHERE task = 2",
      expected: ["t1", "t3"],
      said: /left out.*cursor=2/,
    },
  ])("L2 $name keeps nobody from the events of others", async ({ sql, expected, said }) => {
    const path = await damagedFile(sql);
    const lines: string[] = [];
    const store = opened(path, { logger: lineLogger((line) => lines.push(line)) });
    const taskIds = (events: readonly StoredEvent[]) => events.map(({ taskId }) => taskId);
    expect(taskIds(await store.events({ after: 0 }))).toEqual(expected);
    expect(lines).toEqual([expect.stringMatching(said)]);
    // Page by page as well, where a page may have nothing else.
    const paged: StoredEvent[] = [];
    for (let page = await store.events({ after: 0, limit: 1 }); page.length > 0;) {
      paged.push(...page);
      page = await store.events({ after: paged.at(-1)?.cursor ?? 0, limit: 1 });
    }
    expect(taskIds(paged)).toEqual(expected);
    await store.close();
  });

  it("a spec that is cut leaves its events in their tree", async () => {
    const path = pathFor();
    const store = opened(path);
    await submitted(store, "t1");
    await submitted(store, "t2", { rootId: "t1", parentId: "t1" });
    await store.close();
    edited(path, BAD["a spec that is cut"]);
    const again = opened(path);
    expect((await again.events({ after: 0, rootId: "t1" })).at(-1)).toMatchObject({
      taskId: "t2",
      parentId: "t1",
      rootId: "t1",
    });
    await again.close();
  });

  it("adds no tree up beyond exact numbers", async () => {
    const path = pathFor();
    const store = opened(path);
    await submitted(store, "t1");
    await submitted(store, "t2", { rootId: "t1", parentId: "t1" });
    await store.close();
    edited(path, `UPDATE heads SET cost_micros = ${2 ** 62}`);
    const again = opened(path);
    expect(await again.treeUsage("t1")).toMatchObject({ costMicros: Number.MAX_SAFE_INTEGER, gpuMs: 0 });
    await again.close();
  });

  it("D8 keeps no other tree from being removed", async () => {
    const path = pathFor();
    const store = opened(path);
    await ended(store, "t1");
    await spent(store, "t2");
    await store.close();
    edited(path, "UPDATE outcomes SET ending = '{' WHERE num = 1");
    const again = opened(path);
    expect(await again.prune(EVER)).toMatchObject({ tasks: 1, unread: 1 });
    await again.close();
  });

  it("D8 comes to an end in a file that gives nothing back to the disk", async () => {
    const path = pathFor();
    const store = opened(path);
    for (let at = 0; at < 20; at += 1) await spent(store, `t${at}`);
    await store.close();
    edited(path, "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM");
    const again = opened(path);
    expect(await again.prune(EVER)).toMatchObject({ tasks: 20 });
    await again.close();
  });
});
