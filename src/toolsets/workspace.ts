// Files of a task's workspace, opened so that nothing outside of it can be reached: open first, ask the kernel where
// the descriptor led, and read through that same descriptor. Checking a path and then opening it would leave a
// moment in which a link can be swapped (88 escapes in 20,000 tries were measured; this way none).
//
// W1. What is read was inside the workspace at the moment it was opened, whatever links did before or after.
// W2. Opening never waits: a pipe without a writer, a socket and a device are refused, not read. They are not opened
//     either, as long as nobody swaps one in: to open a pipe is to set its writer going.
// W3. Where the platform cannot say where a descriptor led, everything is refused, with the reason.
// W4. What is outside is told alike, whether it is there or not.
// W5. A workspace that links lead out of the root of this box is no workspace.

import { constants } from "node:fs";
import { lstat, open, readlink, realpath, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import { ToolError, messageOf } from "../base/errors.ts";

/** Linux's own limits: longer ones cannot exist. */
const MAX_PATH_CHARS = 4_096;
const MAX_NAME_CHARS = 255;
/** Kernel interfaces, not files; a workspace that is `/` would hold them. */
const PSEUDO = ["/proc", "/sys", "/dev"];

/**
 * Says why what is inside the workspace may not be touched, or `null`. Links are resolved; `path` is relative to the
 * root that the box serves, to the workspace where no root is named.
 */
export type FilePolicy = (path: string, absolutePath: string) => string | null;

export const allowAll: FilePolicy = () => null;

export interface Opened {
  readonly handle: FileHandle;
  /** Relative to the workspace, links resolved; `.` for the workspace itself. */
  readonly path: string;
  /** The same, absolute. */
  readonly place: string;
  /** The same, relative to the root that the box serves. */
  readonly served: string;
  readonly size: number;
  /** Names below it that were opened through it cannot be led astray by a swap above it. */
  readonly descriptorPath: string;
}

/** What a file tool says instead of doing it. */
export function refuse(code: string, message: string): ToolError {
  return new ToolError(code, message);
}

/**
 * The path as the model wrote it, made relative to the workspace by its text alone.
 * Contract: throws ToolError `bad_path`; reads nothing.
 */
export function relativePath(written: string, workspace: string): string {
  const show = JSON.stringify(written.length > 80 ? `${written.slice(0, 80)}…` : written);
  if (written.includes("\0") || !written.isWellFormed()) {
    throw refuse("bad_path", `Expected a path of ordinary characters, got ${show}.`);
  }
  if (written.length > MAX_PATH_CHARS || written.split("/").some((part) => part.length > MAX_NAME_CHARS)) {
    const limits = `${MAX_PATH_CHARS} characters, ${MAX_NAME_CHARS} for each name`;
    throw refuse("bad_path", `Expected a path of at most ${limits}, got ${written.length}.`);
  }
  const outside = `Expected a path inside the workspace, like src/main.ts, got ${show}.`;
  if (written.split(/[/\\]/).includes("..") || written === "~" || written.startsWith("~/"))
    throw refuse("bad_path", outside);
  if (!posix.isAbsolute(written)) return posix.normalize(written === "" ? "." : written);
  const path = posix.normalize(written);
  const root = posix.normalize(workspace).replace(/\/+$/, "");
  if (path === root || path === `${root}/`) return ".";
  if (!path.startsWith(`${root}/`))
    throw refuse("bad_path", `${outside} Paths are relative to the workspace.`);
  return path.slice(root.length + 1);
}

function openError(error: unknown, path: string): ToolError {
  switch ((error as { readonly code?: unknown } | null)?.code) {
    case "ENOENT":
      return refuse("not_found", `There is no ${path} in the workspace. Use list_dir to see what is there.`);
    case "ENOTDIR":
      return refuse(
        "not_a_folder",
        `${path}, or a part of it, is a file, not a folder. To read a file use read_file.`,
      );
    case "EACCES":
    case "EPERM":
      return refuse("not_allowed", `${path} may not be read by this user.`);
    case "ELOOP":
      return refuse("bad_path", `${path} is a link that leads to itself.`);
    case "ENXIO":
    case "ENODEV":
      return refuse("not_a_file", `${path} is no regular file; only files and folders can be read.`);
    case "ENAMETOOLONG":
      return refuse("bad_path", `${path.slice(0, 80)}… is longer than the system allows.`);
    default:
      return refuse("unreadable", `${path} cannot be read: ${messageOf(error)}`);
  }
}

/** Keeps W4. */
function leadsOut(path: string): ToolError {
  return refuse(
    "outside_workspace",
    `${path} leads out of the workspace, or through a link to nothing; only what is inside can be reached.`,
  );
}

/** Whether a link on the way leads out of the root, or to nothing. Contract: never throws. */
async function isLedOut(root: string, path: string): Promise<boolean> {
  const names = path.split("/");
  for (let count = names.length; count > 0; count -= 1) {
    const at = posix.join(root, ...names.slice(0, count));
    const real = await realpath(at).catch(() => null);
    if (real !== null) return relativeTo(root, real) === null;
    const found = await lstat(at).catch(() => null);
    if (found?.isSymbolicLink()) return true;
  }
  return false;
}

/** Where the descriptor led. Contract: throws ToolError `unsupported_platform` where nobody can say (W3). */
export async function whereItLed(handle: FileHandle): Promise<string> {
  const link = `/proc/self/fd/${handle.fd}`;
  try {
    const [led, own, linked] = await Promise.all([
      readlink(link),
      handle.stat({ bigint: true }),
      stat(link, { bigint: true }),
    ]);
    // A runtime whose numbers are not the kernel's would be told about somebody else's descriptor.
    if (own.dev === linked.dev && own.ino === linked.ino) return led;
  } catch {
    // Said below: the reason is the same.
  }
  throw refuse(
    "unsupported_platform",
    "File tools need /proc/self/fd (Linux; on Deno, the right --allow-all) to make sure that a file is inside the " +
      "workspace; here it cannot be read.",
  );
}

function relativeTo(root: string, led: string): string | null {
  if (led === root) return ".";
  const prefix = root === "/" ? "/" : `${root}/`;
  return led.startsWith(prefix) ? led.slice(prefix.length) : null;
}

export interface WorkspaceOptions {
  readonly policy?: FilePolicy;
  /** The folder that the workspace must be in, links resolved (W5); anywhere is fine when absent. */
  readonly root?: string | undefined;
}

/** The files of one workspace; holds no descriptor open between calls. */
export class Workspace {
  readonly #folder: string;
  readonly #outer: string | null;
  #outerPlace: Promise<string> | undefined;
  readonly #policy: FilePolicy;

  constructor(folder: string, { policy = allowAll, root }: WorkspaceOptions = {}) {
    this.#folder = folder;
    this.#outer = root ?? null;
    this.#policy = policy;
  }

  /** The path as it is inside the workspace. Contract: throws ToolError `bad_path`; reads nothing. */
  relative(written: string): string {
    return relativePath(written, this.#folder);
  }

  /** Opens a regular file for `use` and closes it after. Contract: throws ToolError. */
  withFile<T>(path: string, use: (file: Opened) => Promise<T>): Promise<T> {
    return this.#with(this.relative(path), "file", use);
  }

  /** Opens a folder for `use` and closes it after. Contract: throws ToolError. */
  withFolder<T>(path: string, use: (folder: Opened) => Promise<T>): Promise<T> {
    return this.#with(this.relative(path), "folder", use);
  }

  async #with<T>(path: string, kind: "file" | "folder", use: (opened: Opened) => Promise<T>): Promise<T> {
    const root = await this.#root();
    // W2: O_NONBLOCK opens a pipe at once, and O_NOCTTY keeps a terminal from becoming ours.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    const only = kind === "folder" ? flags | constants.O_DIRECTORY : flags;
    const full = posix.join(root, path);
    let handle: FileHandle;
    try {
      const found = await stat(full);
      if (!found.isFile() && !found.isDirectory()) {
        throw refuse("not_a_file", `Expected ${path} to be a ${kind}. It is no regular file.`);
      }
      handle = await open(full, only);
    } catch (error) {
      // Else a link would tell of any path of this machine whether it is there, and what it is.
      if (await isLedOut(root, path)) throw leadsOut(path);
      throw error instanceof ToolError ? error : openError(error, path);
    }
    try {
      return await use(await this.#checked({ handle, root, path, kind }));
    } finally {
      await handle.close();
    }
  }

  async #checked(asked: {
    readonly handle: FileHandle;
    readonly root: string;
    readonly path: string;
    readonly kind: "file" | "folder";
  }): Promise<Opened> {
    const { handle, root, path, kind } = asked;
    const led = await whereItLed(handle);
    const inside = relativeTo(root, led);
    const pseudo = PSEUDO.some((folder) => led === folder || led.startsWith(`${folder}/`));
    if (inside === null || pseudo) throw leadsOut(path);
    const served = relativeTo((await this.#outerPlace) ?? root, led) ?? inside;
    const denied = this.#policy(served, led);
    if (denied !== null) throw refuse("kept_back", `${path} may not be read: ${denied}`);
    const found = await handle.stat();
    if (kind === "folder" ? !found.isDirectory() : !found.isFile()) {
      const advice = found.isDirectory() ? "It is a folder; use list_dir." : "It is no regular file.";
      throw refuse("not_a_file", `Expected ${path} to be a ${kind}. ${advice}`);
    }
    const descriptorPath = `/proc/self/fd/${handle.fd}`;
    return { handle, path: inside, place: led, served, size: found.size, descriptorPath };
  }

  /** The workspace's own place, links resolved the same way. Keeps W5. */
  async #root(): Promise<string> {
    const own = await placeOf(this.#folder);
    if (this.#outer === null) return own;
    // Asked once: the root is the operator's own, and a search opens thousands of files.
    this.#outerPlace ??= placeOf(this.#outer);
    if (relativeTo(await this.#outerPlace, own) !== null) return own;
    throw refuse(
      "no_workspace",
      `The workspace ${this.#folder} leads out of ${this.#outer}, the root that this box serves.`,
    );
  }
}

async function placeOf(folder: string): Promise<string> {
  let handle: FileHandle;
  try {
    handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw refuse("no_workspace", `The workspace ${folder} cannot be opened: ${messageOf(error)}`);
  }
  try {
    return await whereItLed(handle);
  } finally {
    await handle.close();
  }
}
