// What tasks cost: on the disk, in terms of their text, and in memory, when they have ended.

import { statSync } from "node:fs";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { newId, seededRandom } from "../../src/base/ids.ts";
import type { NewEvent } from "../../src/core/event.ts";
import { textMessage } from "../../src/core/message.ts";
import type { Message } from "../../src/core/message.ts";
import { DatabaseSync } from "node:sqlite";
import { databaseFolder, opened } from "./sqlite-files.ts";
import { claimed, DONE, FINISHED, SPAWNED, specimen, workspaceOf } from "./specimens.ts";

const pathFor = databaseFolder();

/** Bytes of the file when the log is written back. */
async function fileBytes(write: (path: string) => Promise<number>): Promise<{ file: number; text: number }> {
  const path = pathFor();
  const text = await write(path);
  return { file: statSync(path).size, text };
}

describe("a chatty task of 1,000 turns", () => {
  it("takes at most 1.5 times its text, with a tool call and seven events in each turn", async () => {
    const random = seededRandom(3);
    const words = Array.from({ length: 3_000 }, () => `w${Math.floor(random.next() * 5_000)}`).join(" ");
    const { file, text } = await fileBytes(async (path) => {
      const store = opened(path);
      let total = 0;
      const claim = await claimed(store, "t1", { kind: "session" });
      let { seq } = claim;
      for (let turn = 1; turn <= 1_000; turn += 1) {
        const leaseId = newId("lease", random);
        const callId = newId("call", random);
        const input = { path: `notes/${turn}.md`, text: words.slice(turn, turn + 600) };
        const result = words.slice(turn + 700, turn + 1_300);
        const answer = words.slice(turn + 1_400, turn + 2_200);
        const call = { id: callId, name: "write_file", arguments: input };
        const called: Message = { role: "assistant", origin: "model", parts: [{ type: "tool_call", call }] };
        const told: Message = {
          role: "tool",
          origin: "tool",
          parts: [{ type: "tool_result", callId, name: "write_file", text: result, isError: false }],
        };
        total += input.path.length + input.text.length + result.length + answer.length;
        const steps: readonly { events: readonly NewEvent[]; messages: readonly Message[] }[] = [
          {
            events: [
              { type: "turn.started", data: { messages: turn } },
              { type: "lease.granted", data: { leaseId, backend: "ollama", waitedMs: 3 } },
            ],
            messages: [],
          },
          {
            events: [
              {
                type: "turn.finished",
                data: { reason: "tools", toolCalls: 1, promptTokens: 900, outputTokens: 80 },
              },
              { type: "lease.released", data: { leaseId, heldMs: 531 } },
              { type: "tool.requested", data: { callId, tool: "write_file", input } },
            ],
            messages: [called],
          },
          {
            events: [
              {
                type: "tool.finished",
                data: { callId, tool: "write_file", isError: false, chars: 600, ms: 4 },
              },
              { type: "answer.finished", data: { text: answer } },
            ],
            messages: [told, textMessage("assistant", "model", answer)],
          },
        ];
        for (const step of steps)
          ({ seq } = await store.commit(claim, seq, { ...step, turn, snapshot: { turn } }));
      }
      await store.close();
      return total;
    });
    expect(text).toBeGreaterThan(2_000_000);
    expect(file / text).toBeLessThan(1.5);
  }, 60_000);
});

/** The heap in use after a full collection; a worker thread's own figure. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return getHeapStatistics().used_heap_size;
}

describe("tasks that have ended", () => {
  it("cost no memory, however many they are", async () => {
    const clock = new SimulatedClock();
    const store = opened(pathFor(), { clock });
    const random = seededRandom(7);
    const live = async (count: number): Promise<void> => {
      const ids = Array.from({ length: count }, () => newId("task", random));
      const box = { workspace: workspaceOf("box-1") };
      await store.submitAll(ids.map((id) => ({ spec: specimen(id, box), event: SPAWNED })));
      const claims = await store.claim({ owner: "owner-a", boxId: "box-1", ttlMs: 60_000, max: count });
      const write = {
        events: [FINISHED],
        messages: [textMessage("user", "goal", "x".repeat(500))],
        terminal: DONE,
      };
      await Promise.all(claims.map((claim) => store.commit(claim, 1, write)));
      await clock.advance(60_000);
    };
    // So many that every cache is as full as it gets.
    for (let round = 0; round < 50; round += 1) await live(100);
    const before = heapBytes();
    for (let round = 0; round < 50; round += 1) await live(100);
    const bytes = (heapBytes() - before) / 5_000;
    expect((await store.counts()).done).toBe(10_000);
    expect(bytes).toBeLessThan(50);
    await store.close();
  }, 60_000);
});

describe("tasks that are open", () => {
  it("are read from the file in time that grows with their number and not with those that ended", async () => {
    const path = pathFor();
    const store = opened(path);
    await claimed(store, "t1");
    await store.close();
    const database = new DatabaseSync(path, { readOnly: true });
    const plans = [
      "SELECT t.num, t.id, t.box FROM heads h CROSS JOIN tasks t ON t.num = h.num WHERE h.state IN (0, 1, 2) ORDER BY t.num",
      "SELECT state, count(*) AS n FROM heads GROUP BY state",
      "SELECT num FROM tasks WHERE id_hash = 1 AND id = 'a'",
      "SELECT cursor FROM events WHERE task = 1 AND cursor > 0 AND seq > 0 ORDER BY cursor LIMIT 10",
      "SELECT cursor FROM events WHERE root = 1 AND cursor > 0 ORDER BY cursor LIMIT 10",
      "SELECT tree, last_end FROM trees WHERE living = 0 AND (last_end, tree) > (1, 1) ORDER BY last_end, tree LIMIT 1",
    ].map((sql) =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map((row) => String(row["detail"])),
    );
    database.close();
    for (const plan of plans) expect(plan.join()).toMatch(/USING (?:COVERING )?INDEX/);
    for (const plan of plans.slice(2)) expect(plan.join()).not.toContain("TEMP B-TREE");
  });
});
