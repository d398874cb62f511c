// What outlives a server: the store with its tasks, and the record of who did what beside it. The store comes first: its
// lock keeps two servers from writing one record.

import { openAudit } from "./audited.ts";
import type { Audit } from "./core/audit.ts";
import type { StoreSettings } from "./core/settings.ts";
import { openStore, type StoreWorld } from "./open-store.ts";
import type { Store } from "./store/store.ts";

export interface Records {
  readonly store: Store;
  readonly audit: Audit;
  /** Contract: may be called twice. */
  readonly letGo: () => Promise<void>;
}

/**
 * Opens both, or neither; `own` is a store of the program's own, beside which nothing is written.
 * Contract: throws ConfigErrors as `openStore` and `openAudit` do.
 */
export async function openRecords(keeping: StoreSettings, world: StoreWorld, own?: Store): Promise<Records> {
  const store = own ?? openStore(keeping, world);
  try {
    const audit = openAudit(keeping, world.clock);
    return {
      store,
      audit,
      letGo: async () => {
        await store.close();
        audit.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
