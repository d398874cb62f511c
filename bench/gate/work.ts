// What both servers of the benchmark `gate` answer: the same API, which has one task and takes steers for it.

import { systemClock } from "../../src/base/clock.ts";
import type { TroupeApi } from "../../src/core/api.ts";
import { CannedApi } from "../../test/http/canned-api.ts";

export const TOKEN = "ab".repeat(32);

/** Which of the two: Hono with the same handlers and nothing before them, or all that Troupe puts before its own. */
export type Kind = "bare" | "guarded";

/** What the server tells the one that asks it. */
export interface Started {
  readonly port: number;
  readonly taskId: string;
}

export async function workOf(): Promise<{ readonly api: TroupeApi; readonly taskId: string }> {
  const canned = new CannedApi({ clock: systemClock });
  const { taskId } = await canned.delegate({
    goal: "Count the files of this folder and say what they hold.",
  });
  const view = await canned.check(taskId);
  const receipt = await canned.steer(taskId, { message: "and the folders" });
  const api = new Proxy<TroupeApi>(canned, {
    get: (target, key) => {
      // Kept small: what is measured is what stands before it.
      if (key === "check") return () => Promise.resolve(view);
      if (key === "steer") return () => Promise.resolve(receipt);
      return Reflect.get(target, key) as unknown;
    },
  });
  return { api, taskId };
}
