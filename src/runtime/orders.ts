// Orders to children that a parent gives by itself: mail in the commit of what they follow from, so that a restart
// finds them.

import { newId, type Random } from "../base/ids.ts";
import type { CommitWrite } from "../store/store.ts";
import type { Kinship } from "./services.ts";

export interface OrderingHost {
  readonly id: string;
  readonly services: { readonly kinship: Pick<Kinship, "liveChildren">; readonly random: Random };
}

/** Cancels for all living children of the host that were not detached, to be staged. */
export function cancelOrders({ id, services }: OrderingHost, reason: string): CommitWrite {
  const { kinship, random } = services;
  const outbox = kinship.liveChildren(id).map((to) => {
    const order = {
      kind: "cancel",
      id: newId("msg", random),
      from: `agent:${id}`,
      reason,
      force: false,
    } as const;
    return { to, message: order };
  });
  return outbox.length === 0 ? {} : { outbox };
}
