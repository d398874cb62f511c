// Tasks that were ended by force and whose server died before what they held had let go: with it everything did, so a
// restart marks them released. Each is marked once; one that cannot be marked now is marked at the next start.

import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { TERMINAL_STATES } from "../core/lifecycle.ts";
import type { Store } from "../store/store.ts";
import { RELEASED } from "./ending.ts";

export interface LateReleaseOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Contract: never rejects; to be called before any task of this box acts. */
export async function releaseLate({ store, clock, logger }: LateReleaseOptions): Promise<void> {
  try {
    for (const state of TERMINAL_STATES) {
      // The page is read anew each time: whoever is marked is in none.
      for (let page = await late(store, state); page.length > 0; page = await late(store, state))
        for (const { spec } of page) await store.markReleased(spec.id, clock.now(), RELEASED);
    }
  } catch (thrown) {
    logger.warn("what had ended before the restart could not be marked released", {
      message: messageOf(thrown),
    });
  }
}

async function late(store: Store, state: (typeof TERMINAL_STATES)[number]) {
  return (await store.list({ state, unreleased: true })).items;
}
