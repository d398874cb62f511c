// One line of the record for one note, each with the hash of the line before it. Pure; nothing here reads or writes.
//
// H1. A line's hash covers every other byte of it; a line that was changed does not have its own hash any more.
// H2. A line names the hash and the number of the line before: one that was taken out, put in or moved shows at the next.

import { sha256 } from "../base/ids.ts";
import { AUDIT_CHARS, type AuditNote } from "../core/audit.ts";

/** The last line so far. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

export const CHAIN_START: ChainHead = { seq: 0, hash: "0".repeat(64) };

export interface AuditRow extends AuditNote {
  /** From 1, without a gap. */
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly prev: string;
  readonly hash: string;
}

/** The next line, without its newline, and the head that it makes. */
export function chained(
  head: ChainHead,
  note: AuditNote,
  time: number,
): { readonly line: string; readonly head: ChainHead } {
  const seq = head.seq + 1;
  const cut = (text: string): string => text.slice(0, AUDIT_CHARS).toWellFormed();
  const row = {
    seq,
    time,
    actor: cut(note.actor),
    ...(note.tokenId !== undefined && { token_id: cut(note.tokenId) }),
    action: cut(note.action),
    target: note.target === null ? null : cut(note.target),
    digest: note.digest,
    outcome: cut(note.outcome),
    ...(note.detail !== undefined && { detail: cut(note.detail) }),
    prev: head.hash,
  };
  const body = JSON.stringify(row);
  const hash = sha256(body);
  return { line: `${body.slice(0, -1)},"hash":"${hash}"}`, head: { seq, hash } };
}

/** The head that a line says to follow; `null` for what is no row. Contract: pure; it looks at no hash. */
export function headBefore(line: string): ChainHead | null {
  const row = parsed(line);
  return row && { seq: row.seq - 1, hash: row.prev };
}

/** What became of the chain at one line. */
export type Link =
  | { readonly ok: true; readonly row: AuditRow }
  | {
      readonly ok: false;
      readonly why: string;
      readonly seq: number | null;
      /** It is a row by itself, but not the next one. */
      readonly isGap: boolean;
    };

/** Looks at one line after the head before it. Contract: pure, never throws. */
export function linkOf(head: ChainHead, line: string): Link {
  const match = /^(\{.*),"hash":"([0-9a-f]{64})"\}$/s.exec(line);
  const body = `${match?.[1] ?? ""}}`;
  const row = match ? parsed(body) : null;
  if (!match || !row) return { ok: false, why: "it is no row of an audit log", seq: null, isGap: false };
  const { seq, prev } = row;
  if (sha256(body) !== match[2]) {
    return { ok: false, why: "it was changed: its hash is another", seq, isGap: false };
  }
  if (seq !== head.seq + 1 || prev !== head.hash) {
    const why = `it does not follow row ${head.seq}: rows are missing before it, or stand in another order`;
    return { ok: false, why, seq, isGap: true };
  }
  return { ok: true, row: { ...row, hash: match[2] } };
}

/** What a date can hold. */
const MAX_TIME_MS = 8.64e15;
const isText = (value: unknown): boolean => typeof value === "string";

/** A row without its hash; `null` for a text that is none. */
function parsed(body: string): Omit<AuditRow, "hash"> | null {
  try {
    const { token_id: tokenId, ...rest } = JSON.parse(body) as Record<string, unknown>;
    const row = { ...rest, ...(typeof tokenId === "string" && { tokenId }) } as Omit<AuditRow, "hash">;
    const isRow =
      Number.isSafeInteger(row.seq) &&
      typeof row.time === "number" &&
      Math.abs(row.time) <= MAX_TIME_MS &&
      [row.actor, row.action, row.outcome, row.prev].every(isText) &&
      [row.target, row.digest, row.detail].every(
        (text) => text === null || text === undefined || isText(text),
      );
    return isRow ? row : null;
  } catch {
    return null;
  }
}
