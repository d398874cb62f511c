// Makes the fixture database of the present schema version: `node test/store/sqlite-fixture.ts`. Run it once when a
// version is released, commit what it made, and never run it for that version again: what it made must open for ever.

import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { textMessage } from "../../src/core/message.ts";
import { Connection } from "../../src/store/sqlite-connection.ts";
import { backupSqlite } from "../../src/store/sqlite-maintenance.ts";
import { MIGRATIONS } from "../../src/store/sqlite-schema.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import {
  childOf,
  claimed,
  completion,
  DONE,
  FAILED,
  FINISHED,
  GOAL,
  STARTED,
  steer,
  submitted,
} from "./specimens.ts";

const folder = fileURLToPath(new URL("fixtures", import.meta.url));
const target = join(folder, `version-${MIGRATIONS.length}.db`);
if (existsSync(target)) throw new Error(`${target} is there: what a version left is never made again.`);
mkdirSync(folder, { recursive: true });
const work = mkdtempSync(join(tmpdir(), "troupe-fixture-"));

const store = openSqliteStore({
  path: join(work, "store.db"),
  clock: new SimulatedClock(),
  random: seededRandom(4),
  durability: "full",
});
const answer = `four ${"of them ".repeat(40)}`;
const end = { ...DONE, result: answer };
const session = await claimed(store, "s1", { kind: "session" });
await store.send("s1", steer("m1", "Faster — ≥ 2×"));
const begun = { state: "running", phase: "waiting_children", turn: 1, inboxCursor: 1 } as const;
await store.commit(session, 1, {
  ...begun,
  events: [STARTED, { type: "turn.started", data: { messages: 1 } }],
  messages: [GOAL],
  snapshot: { value: 1 },
  timers: [{ name: "deadline", dueAt: 1_700_000_900_000 }],
});
const first = await claimed(store, "c1", childOf("s1"));
await store.commit(first, 1, {
  messages: [textMessage("assistant", "model", answer)],
  events: [{ type: "answer.finished", data: { text: answer } }],
  progress: { percent: 40, note: "half way", partial: { files: 2 }, time: 5 },
});
const outbox = [{ to: "s1", message: completion("c1", end) }];
await store.commit(first, 2, { events: [FINISHED], terminal: end, outbox });
const second = await claimed(store, "c2", childOf("s1"));
const failed = { type: "task.failed", data: { code: "timeout", message: "It took too long." } } as const;
await store.commit(second, 1, { events: [failed], terminal: FAILED });
await store.markReleased("c2", 9, { type: "task.released", data: {} });
await store.markRead("c2", 10);
await submitted(store, "t1");
await store.moveReader("sse", 3);
await store.saveBoxState("keys", [{ state: "dead" }]);
await store.close();
backupSqlite(join(work, "store.db"), target);
// Most tables have a row or two: small pages keep what is committed small.
const small = new Connection(target);
small.exec("PRAGMA page_size = 512; VACUUM");
small.close();
rmSync(work, { recursive: true });
