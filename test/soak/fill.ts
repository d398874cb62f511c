// Many small tasks before the soak begins: what the store keeps of ended tasks is full then, and grows no further.

import type { HttpClient } from "../../src/http/client.ts";
import { MAX_BATCH } from "../../src/core/limits.ts";
import { asTask } from "../crash/plan.ts";
import { pause } from "../crash/server-process.ts";

/** Living tasks beyond which nothing is added. */
const MOST_LIVING = 200;
const LOOK_AGAIN_MS = 50;

/** Contract: resolves when so many tasks have ended. Throws what the client throws. */
export async function fill(client: HttpClient, tasks: number): Promise<void> {
  let made = 0;
  const living = async (): Promise<number> => {
    const counts = (await client.status()).tasks;
    return counts.spawned + counts.running + counts.steering;
  };
  while (made < tasks) {
    while ((await living()) > MOST_LIVING) await pause(LOOK_AGAIN_MS);
    const batch = Array.from({ length: Math.min(MAX_BATCH, tasks - made) }, (_, at) =>
      asTask({ name: `fill.${made + at}`, manner: "async", ms: 0, reports: false, children: [] }),
    );
    await client.delegateBatch(batch);
    made += batch.length;
  }
  while ((await living()) > 0) await pause(LOOK_AGAIN_MS);
}
