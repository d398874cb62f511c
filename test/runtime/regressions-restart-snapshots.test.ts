// Snapshots that no machine of ours can go on from, word for word: the task that left one fails by that name, and
// nobody else waits for it.

import { expect, test } from "vitest";
import { say, wait } from "../../providers/script.ts";
import type { CommitWrite } from "../../src/store/store.ts";
import { RestartingBox } from "./restarting.ts";

type Stored = Readonly<Record<string, unknown>> & { readonly actor: object };

/** Starts again when a change was made to what one of two tasks had stored: how both ended, in a word. */
async function comeBack(change: (stored: Stored) => object) {
  const box = new RestartingBox({ reply: () => [wait(500), say("gold")] });
  const ill = await box.api.delegate({ goal: "ill" });
  const well = await box.api.delegate({ goal: "well" });
  await box.clock.advance(200);
  await box.crash();
  const { epoch, seq } = await box.record(ill.taskId);
  const stored = (await box.store.snapshot(ill.taskId)) as Stored;
  const write = { snapshot: change(stored) } as unknown as CommitWrite;
  await box.store.commit({ taskId: ill.taskId, epoch }, seq, write);
  const recovery = await box.start();
  await box.clock.advance(5_000);
  const ends = await Promise.all([ill, well].map(async ({ taskId }) => (await box.record(taskId)).end));
  const [illEnd, wellEnd] = ends.map((end) => end?.failure?.code ?? end?.result);
  return { recovery, ill: illEnd, well: wellEnd };
}

const ONLY_THE_ILL_FAILS = {
  recovery: { resumed: 1, queued: 0, failed: 1 },
  ill: "snapshot_unreadable",
  well: "gold",
};

test.each([
  "garbage",
  { running: "gone" },
  { spawned: "generating" },
  7,
  {},
  null,
  { spawned: "queued", running: 1 },
])(
  "a state that the machine does not have (%j) fails its task and keeps nobody from going on",
  async (value) => {
    expect(await comeBack((stored) => ({ ...stored, actor: { ...stored.actor, value } }))).toEqual(
      ONLY_THE_ILL_FAILS,
    );
  },
);

test.each([{ context: {} }, { context: { run: "first" } }])(
  "an actor that knows not how far it is (%j) fails its task and keeps nobody from going on",
  async (wrong) => {
    expect(await comeBack((stored) => ({ ...stored, actor: { ...stored.actor, ...wrong } }))).toEqual(
      ONLY_THE_ILL_FAILS,
    );
  },
);

test.each([{ told: 5 }, { quiet: {} }, { told: [5] }, { resumes: "x" }])(
  "what a host remembered and cannot be read (%j) fails its task and keeps nobody from going on",
  async (wrong) => {
    expect(await comeBack((stored) => ({ ...stored, ...wrong }))).toEqual(ONLY_THE_ILL_FAILS);
  },
);
