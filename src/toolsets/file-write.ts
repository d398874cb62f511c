// The toolset file_write: write_file, edit_file, move_file, delete_file, inside the task's workspace. It stands beside
// `file`, so that who may read is not thereby given the right to write. Nothing is changed that the task does not know
// as it is (file-versions.ts), nothing is half written (file-slot.ts), and folders are neither moved nor deleted.

import type { Tool, ToolContext, ToolDefinition, ToolOutcome, Toolset } from "../core/tool.ts";
import { draftName } from "./file-draft.ts";
import { replaced } from "./file-edit.ts";
import { checkSize, clashOf } from "./file-refusals.ts";
import { look, move, put, remove, withSlot } from "./file-slot.ts";
import type { Present, Slot } from "./file-slot.ts";
import { FileVersions, versionOfBytes } from "./file-versions.ts";
import { anyOf } from "./file-write-policy.ts";
import { allowAll, refuse, Workspace } from "./workspace.ts";
import type { FilePolicy } from "./workspace.ts";

const PATH = {
  type: "string",
  maxLength: 4096,
  description: "Path relative to the workspace, like src/main.ts.",
};
const IF_VERSION = {
  type: "string",
  maxLength: 64,
  description: "The version that you change, when it is not the one that read_file showed you last.",
};

export interface FileWriteOptions {
  /** What may not even be read. */
  readonly policy?: FilePolicy;
  /** What may be read and not written. */
  readonly writePolicy?: FilePolicy;
  /** The same that the reading tools tell what they show. */
  readonly versions?: FileVersions;
}

type Input = Readonly<Record<string, unknown>>;

interface Desk {
  readonly policy: FilePolicy;
  readonly writePolicy: FilePolicy;
  readonly versions: FileVersions;
}

/** One tool call at work. */
interface Work {
  readonly context: ToolContext;
  readonly desk: Desk;
  readonly slots: Parameters<typeof withSlot>[0];
  readonly ifVersion: string | undefined;
}

function workOf(
  input: Input,
  { context, desk, make }: { context: ToolContext; desk: Desk; make: boolean },
): Work {
  const { policy, writePolicy } = desk;
  const workspace = new Workspace(context.workspace, { policy, root: context.workspaceRoot });
  const written = input["if_version"];
  return {
    context,
    desk,
    slots: { reach: { workspace, policy: anyOf([policy, writePolicy]) }, make },
    ifVersion: typeof written === "string" && written !== "" ? written : undefined,
  };
}

/** Looks at the file while nobody else of this box changes it. */
function at<T>(work: Work, path: string, use: (slot: Slot, now: Present | null) => Promise<T>): Promise<T> {
  const { desk, context } = work;
  return withSlot(work.slots, path, (slot) =>
    desk.versions.alone(slot.place, async () => use(slot, await look(slot, context.signal))),
  );
}

/** Contract: throws ToolError `conflict` or `not_read` unless the task knows the file as it is. */
function demandKnown({ desk, context, ifVersion }: Work, slot: Slot, now: Present | null): void {
  const { versions } = desk;
  const seen = versions.seen(context.taskId, slot.place);
  const known = ifVersion === undefined ? seen : { version: ifVersion };
  const writer = now === null ? null : versions.writerOf(slot.place, now.version);
  const clash = clashOf({ path: slot.path, known, now, writer });
  if (clash) throw clash;
}

function demandThere(slot: Slot, now: Present | null): Present {
  if (now !== null) return now;
  throw refuse("not_found", `There is no ${slot.path} in the workspace. Use list_dir to see what is there.`);
}

async function store(
  work: Work,
  slot: Slot,
  what: { bytes: Uint8Array; over: Present | null },
): Promise<string> {
  const { context, desk } = work;
  const { taskId, callId, signal } = context;
  await put(slot, { ...what, draft: draftName(taskId, callId), signal });
  const version = versionOfBytes(what.bytes);
  desk.versions.wrote(taskId, slot.place, { version, size: what.bytes.length });
  return `${slot.path} (${what.bytes.length} bytes, version ${version}).`;
}

const said = (value: string): ToolOutcome => ({ type: "result", value });

function textBytes(text: string): Uint8Array {
  if (text.isWellFormed()) return new TextEncoder().encode(text);
  throw refuse("bad_text", "Expected text that is valid Unicode, got half of a character. Write it again.");
}

async function writeFile(input: Input, work: Work): Promise<ToolOutcome> {
  const { path, content } = input as { readonly path: string; readonly content: string };
  const bytes = textBytes(content);
  checkSize(path, bytes.length);
  return at(work, path, async (slot, now) => {
    const { versions } = work.desk;
    if (now?.version === versionOfBytes(bytes)) {
      versions.note(work.context.taskId, slot.place, { version: now.version, size: now.size });
      return said(`${slot.path} holds exactly this already (version ${now.version}).`);
    }
    // A file that is gone is made again, unless the caller counts on a version of it.
    if (now !== null || work.ifVersion !== undefined) demandKnown(work, slot, now);
    return said(`${now === null ? "Made" : "Replaced"} ${await store(work, slot, { bytes, over: now })}`);
  });
}

async function editFile(input: Input, work: Work): Promise<ToolOutcome> {
  const asked = input as {
    readonly path: string;
    readonly old_text: string;
    readonly new_text: string;
    readonly all?: boolean;
  };
  return at(work, asked.path, async (slot, found) => {
    const now = demandThere(slot, found);
    demandKnown(work, slot, now);
    checkSize(slot.path, now.size);
    const { text, count } = replaced(textOf(slot, now.bytes ?? new Uint8Array()), {
      oldText: asked.old_text,
      newText: asked.new_text,
      all: asked.all ?? false,
    });
    const bytes = textBytes(text);
    checkSize(slot.path, bytes.length);
    const places = count === 1 ? "one place" : `${count} places`;
    return said(`Changed ${places} of ${await store(work, slot, { bytes, over: now })}`);
  });
}

/** Contract: throws ToolError `not_text` for bytes that would not come back the same. */
function textOf({ path }: Slot, bytes: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // Said below: the reason is the same.
  }
  throw refuse("not_text", `${path} is no UTF-8 text; edit_file changes text only.`);
}

async function moveFile(input: Input, work: Work): Promise<ToolOutcome> {
  const { from, to } = input as { readonly from: string; readonly to: string };
  const { versions } = work.desk;
  const { taskId, signal } = work.context;
  const source = { ...work, slots: { ...work.slots, make: false } };
  return withSlot(source.slots, from, async (old) => {
    demandThere(old, await look(old, signal));
    return withSlot(work.slots, to, (fresh) => {
      if (fresh.place === old.place) throw refuse("same_path", `${old.path} is there already.`);
      // In one order for everybody: two that swap files do not wait for each other.
      const [first, second] = [old.place, fresh.place].toSorted() as [string, string];
      const both = async (): Promise<ToolOutcome> => {
        const now = demandThere(old, await look(old, signal));
        if ((await look(fresh, signal)) !== null) {
          throw refuse("exists", `${fresh.path} is there already. Delete it first, or choose another name.`);
        }
        await move(old, fresh, now);
        const { version, size } = now;
        if (versions.seen(taskId, old.place)?.version === version) {
          versions.wrote(taskId, fresh.place, { version, size });
        }
        return said(`Moved ${old.path} to ${fresh.path} (version ${version}).`);
      };
      return versions.alone(first, () => versions.alone(second, both));
    });
  });
}

async function deleteFile(input: Input, work: Work): Promise<ToolOutcome> {
  const { path } = input as { readonly path: string };
  return at(work, path, async (slot, found) => {
    const now = demandThere(slot, found);
    demandKnown(work, slot, now);
    await remove(slot, now);
    return said(`Deleted ${slot.path} (${now.size} bytes, version ${now.version}).`);
  });
}

function schema(properties: Readonly<Record<string, unknown>>, required: readonly string[]) {
  return { type: "object", properties, required, additionalProperties: false };
}

const DEFINITIONS = {
  write: {
    name: "write_file",
    description:
      "Writes a whole text file; makes it, and folders that are missing, or replaces it. A file that is there must have been read by you first. For a small change use edit_file.",
    parameters: schema(
      {
        path: PATH,
        content: { type: "string", description: "All of the new text." },
        if_version: IF_VERSION,
      },
      ["path", "content"],
    ),
  },
  edit: {
    name: "edit_file",
    description:
      "Replaces a piece of a text file that you have read. old_text must be there exactly once, to the letter, without line numbers; all: true replaces every occurrence.",
    parameters: schema(
      {
        path: PATH,
        old_text: { type: "string", minLength: 1, description: "The text as it is now." },
        new_text: { type: "string", description: "What stands there instead; empty removes it." },
        all: { type: "boolean", description: "Replace every occurrence. Default false." },
        if_version: IF_VERSION,
      },
      ["path", "old_text", "new_text"],
    ),
  },
  move: {
    name: "move_file",
    description:
      "Gives a file another name or folder; folders that are missing are made. Never replaces a file, and moves no folders.",
    parameters: schema({ from: PATH, to: PATH }, ["from", "to"]),
  },
  delete: {
    name: "delete_file",
    description: "Deletes a file that you have read. Deletes no folders.",
    parameters: schema({ path: PATH, if_version: IF_VERSION }, ["path"]),
  },
} as const satisfies Readonly<Record<string, ToolDefinition>>;

/** The toolset that writes. Absent options keep nothing back and remember alone. */
export function fileWriteToolset(options: FileWriteOptions = {}): Toolset {
  const desk: Desk = {
    policy: options.policy ?? allowAll,
    writePolicy: options.writePolicy ?? allowAll,
    versions: options.versions ?? new FileVersions(),
  };
  const tool = (
    definition: ToolDefinition,
    {
      repeatable = false,
      make = false,
      act,
    }: { repeatable?: boolean; make?: boolean; act: typeof writeFile },
  ): Tool => ({
    definition,
    repeatable,
    run: (input, context) => act(input, workOf(input, { context, desk, make })),
  });
  const tools: readonly Tool[] = [
    // Written twice it is the same: the second time finds its own text, or somebody else's and leaves that.
    tool(DEFINITIONS.write, { repeatable: true, make: true, act: writeFile }),
    tool(DEFINITIONS.edit, { act: editFile }),
    tool(DEFINITIONS.move, { make: true, act: moveFile }),
    tool(DEFINITIONS.delete, { act: deleteFile }),
  ];
  return {
    name: "file_write",
    description:
      "Changes files of the workspace: write_file, edit_file, move_file, delete_file. Goes with file.",
    tools: () => tools,
  };
}
