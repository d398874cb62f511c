// Reads the end of the record of who did what, from its last row backwards, and no more of it than was asked for: a record
// of years is as soon shown as one of a day. Whether all of it is whole is what `audit-check.ts` tells.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type AuditRow, CHAIN_START, headBefore, linkOf } from "./audit-chain.ts";
import { LONGEST_LINE_BYTES } from "./audit-check.ts";
import { openRecord } from "./audit-parts.ts";

const PIECE_BYTES = 65_536;
const NEWLINE = 10;

/** The lines of an open file, the last one first. Contract: throws the system's errors; a line without an end is left out. */
function* linesFromEnd(file: number): Generator<string> {
  const decoder = new TextDecoder();
  let at = fstatSync(file).size;
  let rest = new Uint8Array(0);
  let isWhole = false;
  while (at > 0 && rest.length <= LONGEST_LINE_BYTES) {
    const length = Math.min(PIECE_BYTES, at);
    at -= length;
    const piece = new Uint8Array(length + rest.length);
    readSync(file, piece, 0, length, at);
    piece.set(rest, length);
    let end = piece.length;
    for (let newline = piece.lastIndexOf(NEWLINE); newline >= 0; newline = before(piece, end)) {
      if (isWhole) yield decoder.decode(piece.subarray(newline + 1, end));
      isWhole = true;
      end = newline;
    }
    rest = piece.slice(0, end);
  }
  if (isWhole) yield decoder.decode(rest);
}

/** Where the newline before this place is; -1 where none is. */
function before(bytes: Uint8Array, place: number): number {
  return place === 0 ? -1 : bytes.lastIndexOf(NEWLINE, place - 1);
}

function* recordFromEnd(path: string): Generator<string> {
  const { parts, live } = openRecord(path);
  if (live !== null) {
    try {
      yield* linesFromEnd(live);
    } finally {
      closeSync(live);
    }
  }
  for (const part of parts.toReversed()) {
    const file = openSync(part, "r");
    try {
      yield* linesFromEnd(file);
    } finally {
      closeSync(file);
    }
  }
}

export interface AuditEnd {
  /** Oldest first. */
  readonly rows: readonly AuditRow[];
  /** What is wrong with them, the latest thing; `null` where nothing is. */
  readonly broken: string | null;
}

/** The last rows, up to `limit`. Contract: throws the system's errors for a record that cannot be read. */
export function auditEnd(path: string, limit: number): AuditEnd {
  const rows: AuditRow[] = [];
  let broken: string | null = null;
  for (const text of recordFromEnd(path)) {
    const link = linkOf(headBefore(text) ?? CHAIN_START, text);
    const next = rows.at(-1);
    if (!link.ok) {
      broken ??= next ? `what stands before row ${next.seq}: ${link.why}` : `the last line: ${link.why}`;
      continue;
    }
    if (next && next.prev !== link.row.hash) broken ??= `row ${next.seq} does not follow row ${link.row.seq}`;
    rows.push(link.row);
    if (rows.length === limit) break;
  }
  return { rows: rows.toReversed(), broken };
}
