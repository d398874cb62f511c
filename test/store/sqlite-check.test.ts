import { copyFileSync, openSync, closeSync, writeSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { textMessage } from "../../src/core/message.ts";
import { Connection } from "../../src/store/sqlite-connection.ts";
import { checkSqlite } from "../../src/store/sqlite-maintenance.ts";
import { databaseFolder, opened } from "./sqlite-files.ts";
import { childOf, claimed, completion, DONE, FINISHED, GOAL, STARTED, steer } from "./specimens.ts";

const pathFor = databaseFolder();
const whole = pathFor();

beforeAll(async () => {
  const store = opened(whole);
  const parent = await claimed(store, "p1");
  await store.send("p1", steer("m1"));
  await store.send("p1", steer("m2"));
  await store.commit(parent, 1, { events: [STARTED], messages: [GOAL, GOAL], inboxCursor: 1, snapshot: 1 });
  const child = await claimed(store, "c1", childOf("p1"));
  const text = "An answer that is long enough to be pointed at. ".repeat(9);
  await store.commit(child, 1, {
    events: [{ type: "answer.finished", data: { text } }],
    messages: [textMessage("assistant", "model", text)],
  });
  const outbox = [{ to: "p1", message: completion("c1") }];
  await store.commit(child, 2, { events: [FINISHED], terminal: DONE, outbox });
  await store.close();
});

/** What is found in a copy after some rows of it were changed. */
function foundAfter(sql: string): ReturnType<typeof checkSqlite> {
  const path = pathFor();
  copyFileSync(whole, path);
  const connection = new Connection(path);
  connection.exec(sql);
  connection.close();
  return checkSqlite(path);
}

describe("a check of a database", () => {
  it("finds nothing in one that is whole", () => {
    expect(foundAfter("SELECT 1")).toMatchObject({ ok: true, findings: [] });
  });

  it.each([
    ["a gap in the events of a task", "DELETE FROM events WHERE task = 2 AND seq = 2", 2],
    ["a missing last event", "DELETE FROM events WHERE task = 1 AND seq = 2", 1],
    ["a head that is behind its events", "UPDATE heads SET seq = 1 WHERE num = 1", 1],
    ["a gap in a transcript", "DELETE FROM transcript WHERE at = 1 * 16777216 + 1", 1],
    ["a missing last row", "DELETE FROM transcript WHERE at = 1 * 16777216 + 2", 1],
    ["a gap in an inbox", "DELETE FROM inbox WHERE at = 1 * 16777216 + 2", 1],
    ["a cursor beyond the inbox", "UPDATE heads SET inbox_cursor = 9 WHERE num = 1", 1],
    ["an entry taken that the cursor has not reached", "UPDATE inbox SET turn = 4", 1],
    ["an end without its row", "UPDATE outcomes SET ending = NULL", 2],
    [
      "an ended task without an event that says so",
      "UPDATE events SET type = 2 WHERE task = 2 AND seq = 3",
      2,
    ],
    ["a task without a head", "DELETE FROM heads WHERE num = 1", 1],
    ["rows without a task", "DELETE FROM tasks WHERE num = 2", 2],
    ["a tree that miscounts", "UPDATE trees SET living = 0", 1],
    ["an event that points nowhere", "UPDATE events SET data = '@77' WHERE task = 2 AND seq = 2", 2],
    ["a spec that is cut", "UPDATE tasks SET spec = substr(spec, 1, 20) WHERE num = 1", 1],
    ["an end that is cut", "UPDATE outcomes SET ending = substr(ending, 1, 20) WHERE num = 2", 2],
    ["a snapshot that is no JSON", "UPDATE snapshots SET snapshot = '{x' WHERE num = 1", 1],
    ["timers that are no JSON", "UPDATE snapshots SET timers = '[' WHERE num = 1", 1],
    ["a number that nobody can read", "UPDATE heads SET cost_micros = 9007199254740993 WHERE num = 2", 2],
    ["a completion that points nowhere", "UPDATE inbox SET message = '@77' WHERE kind = 3", 1],
  ])("finds %s, and says of which task", (_, sql, num) => {
    const { ok, pages, findings } = foundAfter(sql);
    expect({ ok, pages }).toEqual({ ok: false, pages: [] });
    expect(findings.flatMap(({ tasks }) => tasks)).toContain(num);
    for (const { rule } of findings) expect(rule).toMatch(/^[A-Z].+\.$/);
  });

  it("reports damaged pages instead of what their rows say", () => {
    const path = pathFor();
    copyFileSync(whole, path);
    const handle = openSync(path, "r+");
    writeSync(handle, Buffer.alloc(6_000, 0xa5), 0, 6_000, 3 * 8_192);
    closeSync(handle);
    const report = checkSqlite(path);
    expect(report).toMatchObject({ ok: false, findings: [] });
    expect(report.pages.length).toBeGreaterThan(0);
  });
});
