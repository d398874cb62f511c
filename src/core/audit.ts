// The record of who did what: rows that are added and never changed. What was asked stands in it as a digest alone, so
// that it can be shown to people who may not see the texts themselves.

import { sha256 } from "../base/ids.ts";
import type { Caller } from "./api.ts";

/** What happened, as whoever notes it knows it. Texts are cut to AUDIT_CHARS. */
export interface AuditNote {
  /** `person:NAME`, `agent:TASK_ID`, or `troupe`. */
  readonly actor: string;
  /** Which of the tokens that people made. */
  readonly tokenId?: string;
  /** A thing and a verb: `task.create`, `tool.call`, `key.switch`. */
  readonly action: string;
  /** The task, session, key or tool that it was done to; `null` where there is none. */
  readonly target: string | null;
  /** `digestOf` what was asked; `null` where nothing was. */
  readonly digest: string | null;
  /** `ok`, `begun`, or the code of the error. */
  readonly outcome: string;
  /** Beyond that, in a few words that hold nothing of what was asked. */
  readonly detail?: string;
}

export const AUDIT_CHARS = 400;

/** Where notes go. */
export interface Audit {
  /**
   * Contract: throws StoreError `audit_failed` while what was noted before cannot be written. Asked before a thing is done,
   * so that nothing more is done of which nothing is known.
   */
  ready(): void;
  /** Contract: never throws; the note survives the end of the process from the next turn of the event loop on. */
  note(note: AuditNote): void;
}

/** For a box that keeps nothing. */
export const NO_AUDIT: Audit = { ready: () => {}, note: () => {} };

/** SHA-256 of a JSON value, whatever the order of its keys. Contract: pure; what JSON cannot hold counts as left out. */
export function digestOf(value: unknown): string {
  return sha256(JSON.stringify(value, sorted) ?? "null");
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Who a caller is in the record. */
export function actorOf(caller: Caller): Pick<AuditNote, "actor" | "tokenId"> {
  if (caller.taskId !== null) return { actor: `agent:${caller.taskId}` };
  return { actor: `person:${caller.name}`, ...(caller.tokenId !== undefined && { tokenId: caller.tokenId }) };
}
