// What file tools that write say instead of writing, in words that a model can act on. Pure.

import { ToolError, messageOf } from "../base/errors.ts";
import type { Known } from "./file-versions.ts";
import { refuse } from "./workspace.ts";

/** Longer files are neither edited nor written by a tool. */
export const MAX_EDITED_BYTES = 4 * 1024 * 1024;

/** What the system said when something was to be changed. */
export function writeError(error: unknown, path: string): ToolError {
  if (error instanceof ToolError) return error;
  switch ((error as { readonly code?: unknown } | null)?.code) {
    case "EEXIST":
      return refuse("conflict", `${path} was made by somebody else just now. Read it, then decide anew.`);
    case "ENOENT":
      return refuse("conflict", `${path}, or its folder, was taken away just now. Look with list_dir.`);
    case "ELOOP":
      return refuse(
        "is_link",
        `${path} is a link, and links are not written through. Name what it leads to.`,
      );
    case "EACCES":
    case "EPERM":
      return refuse("not_allowed", `${path} may not be changed by this user.`);
    case "EROFS":
      return refuse("not_allowed", `${path} lies on a file system that is read-only.`);
    case "EXDEV":
      return refuse(
        "cannot_write",
        `${path} is on another file system. Write it anew there and delete the old one.`,
      );
    case "ENOSPC":
    case "EDQUOT":
      return refuse(
        "cannot_write",
        `${path} was not written: the disk, or this user's share of it, is full.`,
      );
    default:
      return refuse("cannot_write", `${path} was not written: ${messageOf(error)}`);
  }
}

/** Contract: throws ToolError `too_large`. */
export function checkSize(path: string, bytes: number): void {
  if (bytes <= MAX_EDITED_BYTES) return;
  throw refuse(
    "too_large",
    `Expected at most ${MAX_EDITED_BYTES} bytes for ${path}, got ${bytes}. Split it.`,
  );
}

export interface Clash {
  readonly path: string;
  /** What the caller knows, or says it knows. */
  readonly known: Known | { readonly version: string } | null;
  readonly now: Known | null;
  /** The task that wrote what is there now, where it was one of this box. */
  readonly writer: string | null;
}

/** The refusal for a file that the caller does not know as it is; `null` when it does. */
export function clashOf({ path, known, now, writer }: Clash): ToolError | null {
  if (now === null) {
    if (known === null) return null;
    return refuse("conflict", `${path} is gone: you know its version ${known.version}. Look with list_dir.`);
  }
  if (known === null) {
    const is = `${path} is there (${now.size} bytes) and you have not read it.`;
    return refuse("not_read", `${is} Nothing is changed unread: call read_file first, then this again.`);
  }
  if (known.version === now.version) return null;
  const before = "size" in known ? `${known.version} (${known.size} bytes)` : known.version;
  const by = writer === null ? "somebody else" : `the task ${writer}`;
  return refuse(
    "conflict",
    `${path} was changed by ${by}: you know version ${before}, it is now ${now.version} (${now.size} bytes). ` +
      "Call read_file again, and make your change to what is there now.",
  );
}
