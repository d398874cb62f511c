// What the tasks of this box know of files: which version each has seen, who wrote the last one, and who is at a file
// right now. It touches no file itself but the open one whose version it is asked for.
//
// V1. A task knows the version of a file that it was shown or wrote itself, and no other.
// V2. Of several that change one file, one works at a time; the others wait for it, in order.
// V3. What is remembered is bounded: a task whose knowledge was dropped has to read again, and nothing worse.

import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { chunksOf } from "./file-text.ts";

const VERSION_CHARS = 16;
/** The version of a longer file is made of its size, time and number instead of what it holds. */
const MAX_HASHED_BYTES = 16 * 1024 * 1024;
const MAX_KNOWN = 20_000;

/** What a task knows of one file. */
export interface Known {
  readonly version: string;
  /** Bytes. */
  readonly size: number;
}

/** The version of a file that holds exactly these bytes. */
export function versionOfBytes(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, VERSION_CHARS);
}

/** The version of an open file: 16 hexadecimal characters. Contract: throws the signal's reason. */
export async function versionOf(handle: FileHandle, signal: AbortSignal): Promise<string> {
  const { size, mtimeNs, ino } = await handle.stat({ bigint: true });
  const hash = createHash("sha256");
  if (size > MAX_HASHED_BYTES) hash.update(`${size}:${mtimeNs}:${ino}`);
  else for await (const chunk of chunksOf(handle, MAX_HASHED_BYTES, signal)) hash.update(chunk);
  return hash.digest("hex").slice(0, VERSION_CHARS);
}

/** One for all tasks of a box: that is how they notice each other. Places are absolute, links resolved. */
export class FileVersions {
  readonly #known = new Map<string, Known>();
  readonly #writers = new Map<string, { readonly taskId: string; readonly version: string }>();
  readonly #turns = new Map<string, Promise<void>>();

  /** What the task knows of the file, or `null`. */
  seen(taskId: string, place: string): Known | null {
    return this.#known.get(keyOf(taskId, place)) ?? null;
  }

  /** The task was shown this version. */
  note(taskId: string, place: string, known: Known): void {
    put(this.#known, keyOf(taskId, place), known);
  }

  /** The task wrote this version; its own changes are known to it. */
  wrote(taskId: string, place: string, known: Known): void {
    this.note(taskId, place, known);
    put(this.#writers, place, { taskId, version: known.version });
  }

  /** Who of this box wrote that version of the file, or `null`. */
  writerOf(place: string, version: string): string | null {
    const writer = this.#writers.get(place);
    return writer?.version === version ? writer.taskId : null;
  }

  /** Does `work` while nobody else of this box changes the file (keeps V2). Contract: throws what `work` throws. */
  async alone<T>(place: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(place);
    const mine = Promise.withResolvers<void>();
    this.#turns.set(place, mine.promise);
    try {
      await before;
      return await work();
    } finally {
      mine.resolve();
      if (this.#turns.get(place) === mine.promise) this.#turns.delete(place);
    }
  }
}

function keyOf(taskId: string, place: string): string {
  return `${taskId}\0${place}`;
}

/** Keeps V3: the oldest go first. */
function put<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MAX_KNOWN) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
