// The record of who did what, in a file beside the store: one writer, which only ever adds. It does not decide what is
// noted, and it is no part of a task's transaction: what it says is that something was asked and done, not what a task is.
//
// L1. Lines are written in the order of the notes, each whole or, after a crash in the middle, cut off at the next start.
// L2. A note is with the system before anybody can be told of what it is about, and on the disk SYNC_MS later at most.
// L3. What could not be written stays in line; until it is, and until the disk keeps what it took, `ready` throws.
// L4. The file is its owner's alone (0600), under any umask.
// L5. A file that is full is put among the parts, and the chain goes on in the next one: no row is lost or split. Where that
//     fails, it goes on in the file that is there.

import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Clock, Timer } from "../base/clock.ts";
import { ConfigError, messageOf, StoreError } from "../base/errors.ts";
import type { Audit, AuditNote } from "../core/audit.ts";
import { AUDIT_FILE_BYTES } from "../core/limits.ts";
import { chained, CHAIN_START, type ChainHead, headBefore, linkOf } from "./audit-chain.ts";
import { partNumber, partPath, partsOf } from "./audit-parts.ts";

/** What a power loss may take. */
const SYNC_MS = 1_000;
/** Longer than any line. */
const TAIL_BYTES = 65_536;

export interface AuditFileOptions {
  /** Absolute; its folder must be there. */
  readonly path: string;
  readonly clock: Clock;
  /** Bytes that the file took; the system's own when absent. */
  readonly write?: (file: number, bytes: Uint8Array) => number;
  /** Asks the disk to keep what was written; the system's own when absent. Throws what the disk refuses. */
  readonly sync?: (file: number) => Promise<void>;
  /** Bytes at which a file is full; `AUDIT_FILE_BYTES` when absent. */
  readonly fullBytes?: number;
}

export class AuditFile implements Audit {
  readonly #options: AuditFileOptions;
  readonly #fullBytes: number;
  #file: number;
  /** Bytes of the file at which it is put away. */
  #fullAt: number;
  #bytes: number;
  /** Of the next file that is put away. */
  #part: number;
  #head: ChainHead;
  /** Bytes that are not written yet; a part of a line when the disk was full in its middle. */
  #waiting = new Uint8Array(0);
  #isDue = false;
  #failure: unknown = null;
  /** The disk did not keep what it had taken. */
  #isUnsynced = false;
  #sync: Timer | null = null;
  #isClosed = false;

  /** Contract: throws ConfigErrors `audit_unusable` and `audit_damaged`, each with what to do. */
  constructor(options: AuditFileOptions) {
    this.#options = options;
    this.#fullBytes = this.#fullAt = options.fullBytes ?? AUDIT_FILE_BYTES;
    this.#file = opened(options.path);
    try {
      const last = lastPartOf(options.path);
      this.#part = last === undefined ? 1 : partNumber(last) + 1;
      const { head, whole, torn } = tailOf(this.#file, options.path);
      this.#head = whole > 0 || last === undefined ? head : headOf(last);
      this.#bytes = whole;
      if (torn === 0) return;
      ftruncateSync(this.#file, whole);
      const detail = `${torn} bytes of a row that a crash broke off were cut`;
      this.note({ actor: "troupe", action: "audit.mend", target: null, digest: null, outcome: "ok", detail });
    } catch (thrown) {
      closeSync(this.#file);
      throw thrown;
    }
  }

  ready(): void {
    if (this.#failure === null) return;
    this.#write();
    this.#syncAgain();
    if (this.#failure === null) return;
    throw new StoreError(
      "audit_failed",
      `Expected to write the audit log ${this.#options.path}, got: ${messageOf(this.#failure)}. Nothing is done of which ` +
        "nothing would be known: make room on that disk.",
      { cause: this.#failure, details: { path: this.#options.path } },
    );
  }

  note(note: AuditNote): void {
    if (this.#isClosed) return;
    const { line, head } = chained(this.#head, note, this.#options.clock.now());
    this.#head = head;
    const bytes = new TextEncoder().encode(`${line}\n`);
    const waiting = new Uint8Array(this.#waiting.length + bytes.length);
    waiting.set(this.#waiting);
    waiting.set(bytes, this.#waiting.length);
    this.#waiting = waiting;
    if (this.#isDue) return;
    this.#isDue = true;
    // All that one turn of the event loop notes is one write; nothing is answered before (keeps L2).
    queueMicrotask(() => this.#write());
  }

  /** Contract: may be called twice; throws nothing that `ready` would have told. */
  close(): void {
    if (this.#isClosed) return;
    this.#write();
    this.#isClosed = true;
    this.#sync?.cancel();
    try {
      fdatasyncSync(this.#file);
    } finally {
      closeSync(this.#file);
    }
  }

  #write(): void {
    this.#isDue = false;
    if (this.#isClosed || this.#waiting.length === 0) return;
    const { write = writeSync } = this.#options;
    try {
      // A full disk may take a part: the rest goes on from there (keeps L1).
      while (this.#waiting.length > 0) {
        const taken = write(this.#file, this.#waiting);
        this.#bytes += taken;
        this.#waiting = this.#waiting.subarray(taken);
      }
      if (!this.#isUnsynced) this.#failure = null;
      if (this.#bytes >= this.#fullAt) this.#putAway();
      this.#sync ??= this.#options.clock.after(SYNC_MS, () => this.#flush());
    } catch (thrown) {
      this.#failure = thrown;
    }
  }

  /** Keeps L5. */
  #putAway(): void {
    const { path } = this.#options;
    const part = partPath(path, this.#part);
    try {
      fdatasyncSync(this.#file);
      mkdirSync(dirname(part), { recursive: true });
      chmodSync(dirname(part), 0o700);
      renameSync(path, part);
      const next = nextAfter(path, part);
      const full = this.#file;
      this.#file = next;
      this.#part += 1;
      this.#bytes = 0;
      this.#fullAt = this.#fullBytes;
      closeSync(full);
      for (const folder of [dirname(part), dirname(path)]) syncFolder(folder);
    } catch {
      this.#fullAt = this.#bytes + this.#fullBytes;
    }
  }

  #flush(): void {
    this.#sync = null;
    const file = this.#file;
    const { sync = kept } = this.#options;
    sync(file).catch((failure: unknown) => {
      // One that was put away meanwhile was asked for then.
      if (this.#isClosed || file !== this.#file) return;
      this.#failure = failure;
      this.#isUnsynced = true;
    });
  }

  /** A disk that had no room when it was asked may have some by now. */
  #syncAgain(): void {
    if (!this.#isUnsynced || this.#waiting.length > 0) return;
    try {
      fdatasyncSync(this.#file);
      this.#isUnsynced = false;
      this.#failure = null;
    } catch (thrown) {
      this.#failure = thrown;
    }
  }
}

function kept(file: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(file, (failure) => (failure ? reject(failure) : resolve()));
  });
}

/** The next file; without one, the full one gets its place back. Throws as `opened` does. */
function nextAfter(path: string, part: string): number {
  try {
    return opened(path);
  } catch (error) {
    renameSync(part, path);
    throw error;
  }
}

/** So that a power loss takes no name. Systems that cannot do that keep names by other means. */
function syncFolder(folder: string): void {
  try {
    const file = openSync(folder, "r");
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch {
    // Nothing is lost by it that a second more would not take.
  }
}

/** The last row of a full file. Throws ConfigErrors `audit_damaged` and `audit_unusable`. */
function headOf(part: string): ChainHead {
  let file: number | null = null;
  try {
    file = openSync(part, "r");
    return tailOf(file, part).head;
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const message = `Expected to read the last row of ${part}, which the audit log goes on from, got: ${messageOf(cause)}. Make that file readable.`;
    throw new ConfigError("audit_unusable", message, { cause, details: { path: part } });
  } finally {
    if (file !== null) closeSync(file);
  }
}

function opened(path: string): number {
  try {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0);
    const file = openSync(path, flags | (constants.O_NONBLOCK ?? 0), 0o600);
    // The mode above is cut by the umask, and is not that of a file that was there (keeps L4).
    fchmodSync(file, 0o600);
    if (fstatSync(file).isFile()) return file;
    closeSync(file);
    throw new Error("it is not a regular file");
  } catch (cause) {
    throw unusable(path, cause);
  }
}

function lastPartOf(path: string): string | undefined {
  try {
    return partsOf(path).at(-1);
  } catch (cause) {
    throw unusable(path, cause);
  }
}

function unusable(path: string, cause: unknown): ConfigError {
  const message = `Expected to write the audit log ${path}, got: ${messageOf(cause)}. Make its folder writable, or point store.path to one that is.`;
  return new ConfigError("audit_unusable", message, { cause, details: { path, config_key: "store.path" } });
}

interface Tail {
  readonly head: ChainHead;
  /** Bytes of whole lines. */
  readonly whole: number;
  /** Bytes behind them. */
  readonly torn: number;
}

function tailOf(file: number, path: string): Tail {
  const { size } = fstatSync(file);
  const from = Math.max(0, size - TAIL_BYTES);
  const bytes = new Uint8Array(size - from);
  readSync(file, bytes, 0, bytes.length, from);
  const end = bytes.lastIndexOf(10);
  const whole = end < 0 ? from : from + end + 1;
  const torn = size - whole;
  if (whole === 0) return { head: CHAIN_START, whole, torn };
  const line = new TextDecoder().decode(bytes.subarray(bytes.lastIndexOf(10, end - 1) + 1, Math.max(0, end)));
  const link = linkOf(headBefore(line) ?? CHAIN_START, line);
  if (link.ok) return { head: link.row, whole, torn };
  throw new ConfigError(
    "audit_damaged",
    `Expected ${path} to end with a row of an audit log, but of its last one: ${link.why}. Keep that file elsewhere; ` +
      "a new one is begun when none is there.",
    { details: { path } },
  );
}
