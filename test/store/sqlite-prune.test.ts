import { statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { textMessage } from "../../src/core/message.ts";
import { checkSqlite } from "../../src/store/sqlite-maintenance.ts";
import type { SqliteStore } from "../../src/store/sqlite.ts";
import { databaseFolder, opened } from "./sqlite-files.ts";
import {
  childOf,
  claimOf,
  completion,
  DONE,
  FINISHED,
  SPAWNED,
  specimen,
  STARTED,
  submitted,
} from "./specimens.ts";

const pathFor = databaseFolder();
const EVER = { endedBefore: Number.MAX_SAFE_INTEGER } as const;
const WORDS = textMessage("assistant", "model", "Something was said here at some length. ".repeat(40));

/** A task that has ended, with a few rows, and was read or not. */
async function lived(store: SqliteStore, id: string, read: boolean): Promise<void> {
  await submitted(store, id);
  const claim = await claimOf(store, id);
  await store.commit(claim, 1, { events: [STARTED], messages: [WORDS, WORDS], snapshot: { id } });
  await store.commit(claim, 2, { events: [FINISHED], terminal: DONE });
  if (read) await store.markRead(id, 1);
}

const many = (count: number, prefix = "t"): readonly string[] =>
  Array.from({ length: count }, (_, at) => `${prefix}${at}`);

describe("pruning a file", () => {
  it("removes more trees than one step holds, keeps the unread, and gives the pages back to the disk", async () => {
    const path = pathFor();
    const store = opened(path);
    for (const id of many(450)) await lived(store, id, true);
    for (const id of many(3, "unread")) await lived(store, id, false);
    const { newest } = await store.bounds();
    const before = checkSqlite(path).bytes;
    const receipt = await store.prune(EVER);
    expect(receipt).toMatchObject({ tasks: 450, unread: 3 });
    expect(receipt.bytes).toBeLessThan(before.file / 5);
    expect(await store.counts()).toMatchObject({ done: 3 });
    expect((await store.bounds()).newest).toBe(newest);
    await store.close();
    expect(statSync(path).size).toBeLessThan(before.file / 5);
    expect(checkSqlite(path)).toMatchObject({ ok: true, counts: { tasks: 3, trees: 3 }, bytes: { free: 0 } });
  }, 30_000);

  it("lets other writes in between its steps", async () => {
    const store = opened(pathFor());
    for (const id of many(450)) await lived(store, id, true);
    const order: string[] = [];
    const pruned = store.prune(EVER).then(() => order.push("pruned"));
    // Asked while the first step is on its way: answered before the last.
    const written = submitted(store, "later").then(() => order.push("written"));
    await Promise.all([pruned, written]);
    expect(order).toEqual(["written", "pruned"]);
    await store.close();
  }, 30_000);

  it("keeps a file at one size while tasks come, end, are read and are pruned", async () => {
    const path = pathFor();
    const store = opened(path);
    const sizes: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      for (const id of many(60, `r${round}-`)) await lived(store, id, true);
      sizes.push((await store.prune(EVER)).bytes);
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual((sizes[0] ?? 0) * 1.1);
    await store.close();
  }, 30_000);

  it("takes a whole tree with its pointers, whose rows go with it", async () => {
    const path = pathFor();
    const store = opened(path);
    const result = "A result that the parent is told. ".repeat(20);
    await submitted(store, "p1");
    const parent = await claimOf(store, "p1");
    await store.submit(specimen("c1", childOf("p1")), SPAWNED);
    const child = await claimOf(store, "c1");
    const terminal = { ...DONE, result };
    const outbox = [{ to: "p1", message: completion("c1", terminal) }];
    await store.commit(child, 1, { events: [FINISHED], terminal, outbox });
    expect(await store.inbox("p1", 0)).toMatchObject([{ message: { end: { result } } }]);
    await store.commit(parent, 1, { events: [FINISHED], inboxCursor: 1, terminal: DONE });
    await store.markRead("p1", 1);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 2, unread: 0 });
    await store.close();
    const { counts } = checkSqlite(path);
    expect(counts).toEqual({ tasks: 0, open: 0, events: 0, transcript: 0, inbox: 0, trees: 0 });
  });
});
