// How a house comes to rest: until everything has ended, and what its file is like then.

import { DatabaseSync } from "node:sqlite";
import type { HttpClient } from "../../src/http/client.ts";
import { readViews } from "./look.ts";
import { pause } from "./server-process.ts";

/** Left alone, everything ends within this time. */
const REST_MS = 60_000;
const LOOK_AGAIN_MS = 100;

/** Resolves when it holds, or when the time is over: whoever asks looks at what there is then. */
export async function untilTrue(holds: () => boolean | Promise<boolean>, withinMs = REST_MS): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds()) && performance.now() < end) await pause(LOOK_AGAIN_MS);
}

/** Resolves when every task has ended and was let go of, or after a minute. */
export function untilAllEnded(client: HttpClient): Promise<void> {
  return untilTrue(async () => {
    const views = [...(await readViews(client)).values()];
    return views.every(({ releasedAt }) => releasedAt !== null);
  });
}

/** I24: SQLite finds the file whole. Contract: no server owns it any more. */
export function* wrongFile(path: string): Generator<string> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const row = database.prepare("PRAGMA integrity_check").get() as { readonly integrity_check: string };
    if (row.integrity_check !== "ok") yield `the database is damaged: ${row.integrity_check}`;
  } finally {
    database.close();
  }
}
