// The heap that one idle task keeps: spawned and queued, or parked after one turn. Measured as the slope of the used
// heap over the number of tasks, so that the runtime itself and what is allocated once do not count.

import { delay, systemClock } from "../../src/base/clock.ts";
import type { Toolset, ToolWait } from "../../src/core/tool.ts";
import { textOf } from "../../src/core/message.ts";
import { call, hang } from "../../providers/script.ts";
import { benchRig, type BenchRig } from "../rig.ts";
import { fitLine, type LineFit } from "../statistics.ts";

export type Idleness = "queued" | "waiting_input" | "waiting_children" | "session listening";

/** A task that has been idle for this long is asleep; see the runtime. */
const ASLEEP_AFTER_MS = 3_000;
const STUCK = "stuck";

/** A tool that parks its task: what a question to a person and a blocking delegation do. */
function parking(wait: () => ToolWait): Toolset {
  return {
    name: "parking",
    description: "Parks its task.",
    tools: () => [
      {
        definition: { name: "park", description: "Parks.", parameters: { type: "object", properties: {} } },
        repeatable: true,
        run: async () => ({ type: "suspended", wait: wait() }),
      },
    ],
  };
}

async function usedHeap(): Promise<number> {
  // What a job has looked at through weak references lives until the job is over: the last run's tasks among it.
  await delay(systemClock, 200);
  if (!globalThis.gc) throw new Error("Expected --expose-gc: run `npm run bench -- growth`.");
  for (let round = 0; round < 4; round += 1) globalThis.gc();
  return process.memoryUsage().heapUsed;
}

async function spawn(rig: BenchRig, idleness: Idleness, size: number): Promise<void> {
  for (let at = 0; at < size; at += 1) {
    if (idleness === "session listening") await rig.api.createSession({});
    else await rig.api.delegate({ goal: `task number ${at}` });
  }
}

/** Waits until as many tasks are in the phase; their number is the exactness of the figure. */
async function settled(rig: BenchRig, idleness: Idleness, size: number): Promise<void> {
  const phase = idleness === "session listening" ? "waiting_input" : idleness;
  const state = idleness === "queued" ? "spawned" : "running";
  for (let tries = 0; tries < 600; tries += 1) {
    const found = await countIn(rig, state, phase);
    if (found === size) return await delay(systemClock, ASLEEP_AFTER_MS);
    await delay(systemClock, 50);
  }
  throw new Error(`Expected ${size} tasks to be ${phase} within 30 s.`);
}

async function countIn(rig: BenchRig, state: "spawned" | "running", phase: string): Promise<number> {
  let found = 0;
  let cursor: string | undefined;
  do {
    const page = await rig.store.list({ state, limit: 1_000, ...(cursor !== undefined && { cursor }) });
    found += page.items.filter((record) => record.phase === phase).length;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

/** Bytes of heap that `size` idle tasks keep. */
async function heapOf(idleness: Idleness, size: number): Promise<number> {
  let stuck = "";
  const rig = benchRig({
    slots: 8,
    reply: ({ messages }) =>
      messages.some((each) => textOf(each) === STUCK) ? [hang()] : [call("park", {})],
    toolsets: [
      parking(() =>
        idleness === "waiting_children"
          ? { for: "children", taskIds: [stuck] }
          : { for: "input", prompt: "?" },
      ),
    ],
    settings: {
      delegation: {
        maxConcurrentChildren: size,
        maxSpawnDepth: 1,
        onInterrupt: "continue",
        defaultToolsets: ["parking"],
      },
    },
  });
  if (idleness === "waiting_children") stuck = (await rig.api.delegate({ goal: STUCK })).taskId;
  if (idleness === "queued") await rig.api.pause(true);
  const before = await usedHeap();
  await spawn(rig, idleness, size);
  await settled(rig, idleness, size);
  const bytes = (await usedHeap()) - before;
  await rig.close();
  return bytes;
}

export interface IdleHeap extends LineFit {
  readonly idleness: Idleness;
  readonly points: readonly { readonly size: number; readonly value: number }[];
}

/** Bytes for each further idle task, by least squares over the sizes. Contract: throws without --expose-gc. */
export async function idleHeap(idleness: Idleness, sizes: readonly number[]): Promise<IdleHeap> {
  // The first run loads code and fills caches; it would lean on the smallest size.
  await heapOf(idleness, sizes[0] as number);
  const points = [];
  for (const size of sizes) points.push({ size, value: await heapOf(idleness, size) });
  return { idleness, points, ...fitLine(points) };
}
