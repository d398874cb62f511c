// What a store refuses, and in which words: one home, so that every implementation refuses alike.
// It decides nothing; the decisions are in commit.ts and in the stores.

import { ConflictError, InvalidRequestError, LimitError, StoreError } from "../base/errors.ts";
import { MAX_INBOX } from "../core/limits.ts";
import type { TaskRecord, TaskSpec } from "../core/task.ts";

/** A record with as much of its spec as a refusal names. */
type Named = Omit<TaskRecord, "spec"> & { readonly spec: Pick<TaskSpec, "id"> };

/** No such task: reads answer with nothing instead, writes refuse. */
export function taskNotFound(taskId: string): StoreError {
  return new StoreError(
    "task_not_found",
    `Expected a task of this store, got "${taskId}", which it does not have. Submit the task first.`,
    { details: { task_id: taskId } },
  );
}

/** D6: the task has its end already. */
export function taskEnded(record: Named): StoreError {
  return new StoreError(
    "ended",
    `Task ${record.spec.id} has ended (${record.state}) and takes no more writes. Read its record instead.`,
    { details: { task_id: record.spec.id, state: record.state } },
  );
}

/** D6: the one write after the end has been made. */
export function alreadyReleased(record: Named): StoreError {
  return new StoreError(
    "ended",
    `Task ${record.spec.id} was marked released at ${record.releasedAt} already; it is marked once.`,
    { details: { task_id: record.spec.id, released_at: record.releasedAt } },
  );
}

/** Only an ended task can be released. */
export function notEnded(record: Named): StoreError {
  return new StoreError(
    "not_ended",
    `Expected task ${record.spec.id} to have ended, it is ${record.state}. Commit its end before its release.`,
    { details: { task_id: record.spec.id, state: record.state } },
  );
}

/** D3: a newer epoch exists, or the claim was released. */
export function fenced(record: Named, epoch: number): StoreError {
  return new StoreError(
    "fenced",
    `A write of epoch ${epoch} came for task ${record.spec.id}, whose claim is released or of epoch ` +
      `${record.epoch}. Stop working on it: somebody else may own it; claim it again to go on.`,
    { details: { task_id: record.spec.id, epoch: record.epoch, got: epoch } },
  );
}

/** D3: the writer has not seen the task's last event. */
export function wrongSequence(record: Named, expected: number): StoreError {
  return new StoreError(
    "sequence",
    `A write for task ${record.spec.id} expected sequence ${expected}, the task is at ${record.seq}. ` +
      "Read what was committed in between, then decide again.",
    { details: { task_id: record.spec.id, seq: record.seq, got: expected } },
  );
}

/** D2: a part of a commit can never be written; `problem` is a sentence. */
export function invalidWrite(taskId: string, problem: string): StoreError {
  return new StoreError(
    "invalid_write",
    `Refused a write for task ${taskId}: ${problem} Nothing was written.`,
    {
      details: { task_id: taskId },
    },
  );
}

/** Every call after `close`. */
export function storeClosed(): StoreError {
  return new StoreError("closed", "The store is closed. Open it again before using it.");
}

/** Somebody else writes the file, in spite of the lock: what this store knows of it is not so any more. */
export function ownedByAnother(): StoreError {
  return new StoreError(
    "database_owned",
    "Another program has written the database while this one had it, and nothing more is written here. " +
      "Stop both, run `troupe db check`, and start one.",
  );
}

/** D5: one id, two contents. */
export function messageReused(taskId: string, messageId: string): ConflictError {
  return new ConflictError(
    "message_reused",
    `Message ${messageId} was sent to task ${taskId} before with another content. ` +
      "Use a new id for a new message, or send the first content again.",
    { details: { task_id: taskId, message_id: messageId } },
  );
}

/** Too many messages of one kind wait; see MAX_INBOX. */
export function inboxFull(taskId: string): LimitError {
  return new LimitError(
    "inbox_full",
    `Task ${taskId} has ${MAX_INBOX} undelivered messages, the most that may wait. ` +
      "Send again when it has begun its next turn.",
    { details: { task_id: taskId, limit: MAX_INBOX } },
  );
}

/** D1: one id, two requests. */
export function keyReused(spec: TaskSpec): ConflictError {
  return new ConflictError(
    "idempotency_key_reused",
    `Task ${spec.id} was submitted before from another request. ` +
      "Use a new idempotency key for a new request, or repeat the first request unchanged.",
    { details: { task_id: spec.id } },
  );
}

/** A claim could never find a task of this workspace. */
export function badWorkspace(workspace: string): InvalidRequestError {
  return new InvalidRequestError(
    "bad_workspace",
    `Expected a workspace of the form box:<box id>:<absolute path>, got "${workspace}".`,
  );
}

/** An argument of a read or claim is out of range; its code is `bad_<name>`. */
export function badQuery(name: string, expected: string, got: unknown): InvalidRequestError {
  return new InvalidRequestError(
    `bad_${name}`,
    `Expected ${name} to be ${expected}, got ${JSON.stringify(got)}.`,
  );
}
