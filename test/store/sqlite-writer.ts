// A process that writes to a store and tells what was acknowledged, until somebody kills it: run by
// sqlite-crash.test.ts with the path, the durability and a number for its round. Each line of its output is one
// acknowledged fact, written after the acknowledgement.

import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/ids.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { GOAL, SPAWNED, specimen, STARTED, steer, workspaceOf } from "./specimens.ts";

const [path = "", durability, round = "0"] = process.argv.slice(2);
const WRITERS = 8;
/** Waits where its reader is behind: a write of its own to a pipe that is full would throw. */
const tell = (...words: readonly unknown[]): void => void process.stdout.write(`${words.join(" ")}\n`);

const store = openSqliteStore({
  path,
  clock: systemClock,
  random: systemRandom,
  durability: durability === "full" ? "full" : "normal",
});

async function write(writer: number): Promise<never> {
  for (let task = 0; ; task += 1) {
    const id = `t${round}-${writer}-${task}`;
    await store.submit(specimen(id, { workspace: workspaceOf(id) }), SPAWNED);
    tell("submitted", id);
    const [claim] = await store.claim({ owner: "writer", boxId: id, ttlMs: 60_000, max: 1 });
    if (claim === undefined) throw new Error(`Expected to claim ${id}.`);
    let { seq } = claim;
    for (let step = 1; step <= 6; step += 1) {
      await store.send(id, steer(`m${step}`, "x".repeat(100 * step)));
      ({ seq } = await store.commit(claim, seq, {
        events: [STARTED, { type: "answer.finished", data: { text: `${id} ${step}` } }],
        messages: [GOAL],
        inboxCursor: step,
        turn: step,
        snapshot: { step },
      }));
      tell("committed", id, seq, step);
    }
    const terminal = { state: "done", result: id, truncated: false, failure: null } as const;
    await store.commit(claim, seq, {
      events: [{ type: "task.done", data: { resultChars: 1, truncated: false } }],
      terminal,
    });
    tell("ended", id);
  }
}

tell("opened");
await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
