import { describe, expect, it } from "vitest";
import { settle } from "../../src/base/clock.ts";
import { ConflictError } from "../../src/base/errors.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { Connection } from "../../src/store/sqlite-connection.ts";
import { GroupCommit } from "../../src/store/sqlite-group.ts";
import { databaseFolder, openedWithConnection } from "./sqlite-files.ts";
import {
  claimed,
  claimOf,
  completion,
  DONE,
  end,
  everything,
  FINISHED,
  SPAWNED,
  specimen,
  STARTED,
  steer,
  submitted,
  workspaceOf,
} from "./specimens.ts";

const pathFor = databaseFolder();

/** A store on a file, and a switch that makes every write of it fail, as a full disk does. */
function failing(): ReturnType<typeof openedWithConnection> & {
  readonly fail: (on: boolean) => void;
  path: string;
} {
  const path = pathFor();
  const made = openedWithConnection(path);
  return {
    ...made,
    path,
    fail(on) {
      const pages = on ? Number(made.connection.pragma("page_count")) : 1_000_000;
      made.connection.exec(`PRAGMA max_page_count = ${pages}`);
    },
  };
}

/** Too long for what the last page of a table has left. */
const LONG = "x".repeat(40_000);

describe("a group of writes", () => {
  it("G2 lets the others stand when one is refused, and gives each its own answer", async () => {
    const { store } = failing();
    const claim = await claimed(store, "t1");
    const outcomes = await Promise.allSettled([
      store.commit(claim, 1, { events: [STARTED] }),
      store.commit(claim, 9, { events: [STARTED] }),
      store.submit(specimen("t2"), SPAWNED),
      store.submit(specimen("t2", { requestHash: "another" }), SPAWNED),
      store.send("t2", steer("m1")),
      store.send("nobody", steer("m1")),
    ]);
    const codes = outcomes.map((outcome) =>
      outcome.status === "fulfilled" ? "ok" : (outcome.reason as { readonly code: string }).code,
    );
    expect(codes).toEqual(["ok", "sequence", "ok", "idempotency_key_reused", "ok", "task_not_found"]);
    expect((await store.events({ after: 0 })).map((event) => event.cursor)).toEqual([1, 2, 3]);
    await store.close();
  });

  it("G2 fails as one when the disk is full, leaves nothing, and goes on when there is room", async () => {
    const { store, connection, fail } = failing();
    const claim = await claimed(store, "t1");
    await submitted(store, "t2", { workspace: workspaceOf("box-2") });
    const before = await everything(store, ["t1", "t2"]);
    let woken = 0;
    store.onWrite(() => void (woken += 1));
    fail(true);
    const writes = [
      store.commit(claim, 1, { events: [STARTED], state: "running", turn: 3 }),
      store.submit(specimen("t3", { goal: LONG }), SPAWNED),
      store.send("t1", steer("m1", LONG)),
      store.commit(claim, 7, {}),
    ];
    for (const write of writes) {
      await expect(write).rejects.toMatchObject({ kind: "store", code: "full" });
    }
    await settle();
    expect(woken).toBe(0);
    expect(await everything(store, ["t1", "t2"])).toEqual(before);
    expect(await store.get("t3")).toBeNull();
    fail(false);
    connection.exec("PRAGMA query_only = ON");
    const taking = store.claim({ owner: "owner-b", request: "r1", boxId: "box-2", ttlMs: 1_000, max: 5 });
    await expect(taking).rejects.toMatchObject({ kind: "store", code: "read_only" });
    connection.exec("PRAGMA query_only = OFF");
    expect(await store.heartbeat("owner-b", 1_000)).toEqual([]);
    const claims = await store.claim({ owner: "owner-c", boxId: "box-2", ttlMs: 1_000, max: 5 });
    expect(claims).toMatchObject([{ taskId: "t2", epoch: 1, resume: null }]);
    await expect(store.commit(claim, 1, { events: [STARTED] })).resolves.toMatchObject({ seq: 2 });
    await submitted(store, "t3", { goal: LONG });
    expect((await store.events({ after: 0 })).map((event) => event.cursor)).toEqual([1, 2, 3, 4]);
    await store.close();
  });

  it("G2 leaves the end of a task undone when it could not be written: it lives, and is owned", async () => {
    const { store, fail } = failing();
    const claim = await claimed(store, "t1");
    fail(true);
    const terminal = { ...DONE, result: LONG };
    const write = { events: [FINISHED], terminal };
    await expect(store.commit(claim, 1, write)).rejects.toMatchObject({ code: "full" });
    expect(await store.counts()).toMatchObject({ spawned: 1, done: 0 });
    fail(false);
    expect(await store.heartbeat("owner-a", 60_000)).toEqual([]);
    await expect(store.commit(claim, 1, write)).resolves.toMatchObject({ seq: 2 });
    expect(await store.counts()).toMatchObject({ spawned: 0, done: 1 });
    await store.close();
  });

  it("fails as busy while another process writes the file, and goes on afterwards", async () => {
    const { store, path } = failing();
    await submitted(store, "t1");
    const other = new Connection(path);
    other.exec("BEGIN IMMEDIATE");
    await expect(submitted(store, "t2")).rejects.toMatchObject({ kind: "store", code: "busy" });
    expect(await store.get("t2")).toBeNull();
    other.exec("ROLLBACK");
    other.close();
    await expect(submitted(store, "t2")).resolves.toBeDefined();
    await store.close();
  });

  it("G2 carries out each by itself when one fails half-way, which is a defect", async () => {
    const { store } = failing();
    const claim = await claimed(store, "t1");
    // BigInt is no JSON: the first event and the transcript row are written by then.
    const data = { text: 1n } as unknown as { readonly text: string };
    const broken = [STARTED, { type: "answer.finished", data: { ...data, more: 1 } } as never];
    const outcomes = await Promise.allSettled([
      submitted(store, "t2"),
      store.commit(claim, 1, { events: broken, messages: [] }),
      store.commit(claim, 1, { events: [STARTED] }),
      submitted(store, "t3"),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    expect(outcomes[1]).toMatchObject({ reason: { kind: "store", code: "defect" } });
    const events = await store.events({ after: 0 });
    expect(events.map(({ cursor, taskId }) => [cursor, taskId])).toEqual([
      [1, "t1"],
      [2, "t2"],
      [3, "t1"],
      [4, "t3"],
    ]);
    await store.close();
  });

  it("G3 carries out calls in the order in which they were made, those of memory too", async () => {
    const { store } = failing();
    const claim = await claimed(store, "t1");
    const [committed, released] = await Promise.all([
      store.commit(claim, 1, { events: [STARTED] }),
      store.release("owner-a"),
    ]);
    expect(committed.seq).toBe(2);
    expect(released).toEqual(["t1"]);
    const late = [store.release("owner-a"), store.commit(claim, 2, { events: [STARTED] })];
    await expect(late[1]).rejects.toMatchObject({ code: "fenced" });
    await store.close();
  });

  it("takes more calls at once than one transaction holds", async () => {
    const { store } = failing();
    const names = Array.from({ length: 700 }, (_, at) => `t${at}`);
    const woken: StoredEvent[] = [];
    store.onWrite((events) => void woken.push(...events));
    await Promise.all(names.map((id) => submitted(store, id)));
    await settle();
    expect(woken.map((event) => event.taskId)).toEqual(names);
    await store.close();
  });

  it.each(["full", "normal"] as const)(
    "G5 waits for the disk only where somebody needs it: %s",
    async (durability) => {
      const connection = new Connection(pathFor());
      connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability}`);
      const memory = { mark: () => () => {}, committed: () => {} };
      const group = new GroupCommit({ connection, durability, memory, announce: () => {} });
      const mode = () => ({ value: connection.pragma("synchronous") });
      const refusing = (): never => {
        throw new ConflictError("refused", "No.");
      };
      const [first, claim, refused, last] = await Promise.allSettled([
        group.add(mode),
        group.addUnsynced(mode),
        group.addUnsynced(refusing),
        group.add(mode),
      ]);
      const full = { status: "fulfilled", value: durability === "full" ? 2 : 1 };
      expect([first, last]).toEqual([full, full]);
      expect(claim).toEqual({ status: "fulfilled", value: 1 });
      expect(refused).toMatchObject({ reason: { code: "refused" } });
      connection.close();
    },
  );

  it("writes what was asked before it was closed", async () => {
    const { store, path } = failing();
    const written = submitted(store, "t1");
    await store.close();
    await expect(written).resolves.toBeDefined();
    const again = openedWithConnection(path);
    expect(await again.store.get("t1")).not.toBeNull();
    await again.store.close();
  });

  it("counts tasks, ends and mail of one group as if they had come one by one", async () => {
    const { store } = failing();
    const parent = await claimed(store, "p1");
    const children = await Promise.all(
      ["c1", "c2"].map(async (id) => {
        await submitted(store, id, { parentId: "p1", rootId: "p1", workspace: workspaceOf(id) });
        return claimOf(store, id);
      }),
    );
    const ends = children.map((child) =>
      store.commit(child, 1, {
        events: [FINISHED],
        terminal: DONE,
        outbox: [{ to: "p1", message: completion(child.taskId) }],
      }),
    );
    await Promise.all([...ends, end(store, parent)]);
    expect(await store.counts()).toMatchObject({ done: 3, spawned: 0 });
    const inbox = await store.inbox("p1", 0);
    expect(inbox.map(({ message, state }) => [message.id, state])).toEqual([
      ["c1", "undelivered"],
      ["c2", "undelivered"],
    ]);
    await store.close();
  });
});
