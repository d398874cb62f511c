// Reads the record of who did what from its beginning and says where it is not whole. It opens the file for reading alone,
// beside a server that writes it, and holds one piece of it at a time.

import { closeSync, openSync, readSync } from "node:fs";
import { type AuditRow, CHAIN_START, type ChainHead, linkOf } from "./audit-chain.ts";

const PIECE_BYTES = 262_144;
/** A longer line is none of ours. */
const LONGEST_LINE_BYTES = 65_536;

/** The lines of a file, in pieces. Contract: throws the system's errors; what follows the last newline is not given. */
function* linesOf(path: string): Generator<string> {
  const file = openSync(path, "r");
  try {
    const piece = new Uint8Array(PIECE_BYTES);
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const read = readSync(file, piece, 0, piece.length, null);
      if (read === 0) return;
      const lines = (rest + decoder.decode(piece.subarray(0, read), { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
      if (rest.length <= LONGEST_LINE_BYTES) continue;
      yield rest;
      rest = "";
    }
  } finally {
    closeSync(file);
  }
}

export interface AuditReport {
  /** Rows up to the first broken one, or all. */
  readonly rows: number;
  /** The last of them: who keeps it elsewhere can tell later that nothing was cut off the end. */
  readonly head: ChainHead;
  readonly broken: { readonly line: number; readonly seq: number | null; readonly why: string } | null;
  /** Whether the row with the hash that was asked for is there; `null` where none was. */
  readonly holds: boolean | null;
}

/**
 * Looks at every row up to the first that does not follow.
 * Contract: throws the system's errors for a file that cannot be read. `expected` is the hash of a head noted earlier.
 */
export function checkAudit(path: string, expected: string | null = null): AuditReport {
  let head: ChainHead = CHAIN_START;
  let holds = expected === null ? null : expected === CHAIN_START.hash;
  let line = 0;
  for (const text of linesOf(path)) {
    line += 1;
    const link = linkOf(head, text);
    if (!link.ok) return { rows: line - 1, head, broken: { line, seq: link.seq, why: link.why }, holds };
    head = { seq: link.row.seq, hash: link.row.hash };
    if (head.hash === expected) holds = true;
  }
  return { rows: line, head, broken: null, holds };
}

/** The last rows, oldest first, up to the first that is broken. Contract: as `checkAudit`. */
export function lastAuditRows(path: string, limit: number): readonly AuditRow[] {
  const kept: AuditRow[] = [];
  let head: ChainHead = CHAIN_START;
  for (const text of linesOf(path)) {
    const link = linkOf(head, text);
    if (!link.ok) break;
    head = { seq: link.row.seq, hash: link.row.hash };
    kept.push(link.row);
    if (kept.length > limit) kept.shift();
  }
  return kept;
}
