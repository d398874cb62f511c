// Tasks that were ended by force and whose server died before what they held had let go: with it everything did, so a
// restart marks them released, once. They are found before any task of this box acts, since a task that this server
// ends by force holds something still.

import type { Clock } from "../base/clock.ts";
import { TERMINAL_STATES } from "../core/lifecycle.ts";
import type { Store } from "../store/store.ts";
import { RELEASED } from "./ending.ts";
import type { StorePatience } from "./store-patience.ts";

export interface LateReleaseOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly patience: StorePatience;
}

/** Whom an earlier server left unreleased. Throws what the store throws when it refuses. */
export async function unreleased({ store, patience }: LateReleaseOptions): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const state of TERMINAL_STATES) {
    let cursor: string | undefined;
    do {
      const query = { state, unreleased: true, ...(cursor !== undefined && { cursor }) } as const;
      const page = await patience.call("list", () => store.list(query));
      for (const { spec } of page.items) ids.push(spec.id);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }
  return ids;
}

/** Marks them. Contract: never rejects; one that cannot be marked now is found again at the next start. */
export async function markReleased(ids: readonly string[], options: LateReleaseOptions): Promise<void> {
  const { store, clock, patience } = options;
  for (const id of ids) {
    const mark = (): Promise<void> => store.markReleased(id, clock.now(), RELEASED);
    // Refused when it was marked by a try whose answer was lost.
    await patience.call("markReleased", mark).catch(() => {});
  }
}
