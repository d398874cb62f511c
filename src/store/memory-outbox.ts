// Mail from one task to others in memory (D7): checked whole before the commit writes anything, posted after.

import { repeats } from "./memory-inbox.ts";
import type { MemoryTask } from "./memory-task.ts";
import { invalidWrite, taskNotFound } from "./refusals.ts";
import type { CommitWrite, InboxMessage } from "./store.ts";

/** A message whose addressee was found. */
export interface Mail {
  readonly to: MemoryTask;
  readonly message: InboxMessage;
}

/**
 * The mail of a commit, ready to post.
 * Contract: throws StoreError `task_not_found` for an unknown addressee and `invalid_write` for an id that stands
 * for two contents; changes nothing.
 */
export function checkOutbox(
  sender: string,
  outbox: CommitWrite["outbox"],
  find: (taskId: string) => MemoryTask | undefined,
): readonly Mail[] {
  const sent = new Map<string, InboxMessage>();
  return (outbox ?? []).map(({ to, message }) => {
    const addressee = find(to);
    if (addressee === undefined) throw taskNotFound(to);
    const key = `${to}\n${message.kind}\n${message.id}`;
    const first = sent.get(key) ?? addressee.inbox?.find(message)?.message ?? message;
    // What an ended addressee cannot take is dropped, never an error (D7).
    if (!addressee.ended && !repeats(first, message)) {
      throw invalidWrite(sender, `message ${message.id} to ${to} was sent before with another content.`);
    }
    sent.set(key, first);
    return { to: addressee, message };
  });
}

/** Puts checked mail into its inboxes: an ended task takes none, an id is taken once, no bound holds. Never throws. */
export function postMail(mail: readonly Mail[], time: number): void {
  for (const { to, message } of mail) {
    const known = to.inbox?.find(message) ?? null;
    if (!to.ended && known === null) to.receive(message, time);
  }
}
