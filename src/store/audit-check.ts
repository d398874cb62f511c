// Reads the record of who did what from its beginning, over all of its files, and says where it is not whole. It opens them
// for reading alone, beside a server that writes, and holds one piece of one file at a time.

import { closeSync, openSync, readSync } from "node:fs";
import { CHAIN_START, type ChainHead, headBefore, linkOf } from "./audit-chain.ts";
import { openRecord, type RecordFiles } from "./audit-parts.ts";

const PIECE_BYTES = 262_144;
/** A longer line is none of ours. */
export const LONGEST_LINE_BYTES = 65_536;

/** The lines of an open file, in pieces. Contract: throws the system's errors; what follows the last newline is not given. */
function* linesOf(file: number): Generator<string> {
  const piece = new Uint8Array(PIECE_BYTES);
  const decoder = new TextDecoder();
  let rest = "";
  for (let at = 0; ;) {
    const read = readSync(file, piece, 0, piece.length, at);
    if (read === 0) return;
    at += read;
    const lines = (rest + decoder.decode(piece.subarray(0, read), { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (rest.length <= LONGEST_LINE_BYTES) continue;
    yield rest;
    rest = "";
  }
}

interface Line {
  readonly file: string;
  /** From 1, in its file. */
  readonly line: number;
  readonly text: string;
}

function* linesIn(path: string, { parts, live }: RecordFiles): Generator<Line> {
  for (const part of parts) {
    const file = openSync(part, "r");
    try {
      yield* numbered(part, file);
    } finally {
      closeSync(file);
    }
  }
  if (live !== null) yield* numbered(path, live);
}

function* numbered(path: string, file: number): Generator<Line> {
  let line = 0;
  for (const text of linesOf(file)) yield { file: path, line: (line += 1), text };
}

export interface AuditReport {
  /** Rows up to the first broken one, or all. */
  readonly rows: number;
  /** Files that the record is in. */
  readonly files: number;
  /** The last of them: who keeps it elsewhere can tell later that nothing was cut off the end. */
  readonly head: ChainHead;
  readonly broken: {
    readonly file: string;
    readonly line: number;
    readonly seq: number | null;
    readonly why: string;
  } | null;
  /** Whether the row with the hash that was asked for is there; `null` where none was. */
  readonly holds: boolean | null;
}

export interface AuditQuestion {
  /** The hash of a row that was noted elsewhere, to be found. */
  readonly expected?: string | null;
  /** The hash of the row before the first: what was there up to it was taken away by who asks. */
  readonly after?: string | null;
}

/**
 * Looks at every row up to the first that does not follow.
 * Contract: throws the system's errors for a file that cannot be read.
 */
export function checkAudit(path: string, question: AuditQuestion = {}): AuditReport {
  const record = openRecord(path);
  try {
    const files = record.parts.length + (record.live === null ? 0 : 1);
    return { files, ...chainIn(linesIn(path, record), question) };
  } finally {
    if (record.live !== null) closeSync(record.live);
  }
}

function chainIn(lines: Iterable<Line>, question: AuditQuestion): Omit<AuditReport, "files"> {
  const { expected = null, after = null } = question;
  let head: ChainHead | null = after === null ? CHAIN_START : null;
  let holds = expected === null ? null : expected === (after ?? CHAIN_START.hash);
  let rows = 0;
  for (const { file, line, text } of lines) {
    head ??= { seq: headBefore(text)?.seq ?? 0, hash: after ?? CHAIN_START.hash };
    const link = linkOf(head, text);
    if (!link.ok) {
      const why =
        line === 1 && link.isGap ? `${link.why}, or a whole file before this one is gone` : link.why;
      return { rows, head, broken: { file, line, seq: link.seq, why }, holds };
    }
    rows += 1;
    head = { seq: link.row.seq, hash: link.row.hash };
    if (head.hash === expected) holds = true;
  }
  return { rows, head: head ?? CHAIN_START, broken: null, holds };
}
