// The file toolset, read-only (file-write.ts writes): list_dir, read_file, search_files. Everything happens inside the task's workspace
// (workspace.ts holds that), within fixed bounds; what was left out is said in the answer and marked `truncated`.
// Answers are plain text, which small models read better than JSON.

import type { Tool, ToolContext, ToolOutcome, Toolset } from "../core/tool.ts";
import { readWindow } from "./file-text.ts";
import { searchFilesTool } from "./file-search.ts";
import { FileVersions, versionOf } from "./file-versions.ts";
import { Walk } from "./file-walk.ts";
import { allowAll, Workspace } from "./workspace.ts";
import type { FilePolicy } from "./workspace.ts";

const MAX_LISTED = 400;
const MAX_LIST_DEPTH = 5;
const DEFAULT_READ_LINES = 400;
const MAX_READ_LINES = 2_000;
/** Below the 24,000 characters of a tool result, with room for the lines that say what follows. */
const MAX_READ_CHARS = 20_000;
const MAX_LINE_CHARS = 2_000;
const MAX_READ_BYTES = 64 * 1024 * 1024;

const PATH = {
  type: "string",
  maxLength: 4096,
  description: "Path relative to the workspace, like src/main.ts.",
};

function listDirTool(policy: FilePolicy): Tool {
  return {
    definition: {
      name: "list_dir",
      description:
        "Lists a folder of the workspace. Folders end with /, files are shown with their size in bytes. Use it to find out what is there before you read.",
      parameters: {
        type: "object",
        properties: {
          path: { ...PATH, description: "Folder, relative to the workspace. Default: the workspace itself." },
          depth: {
            type: "integer",
            minimum: 1,
            maximum: MAX_LIST_DEPTH,
            description: "Levels to show. Default 1.",
          },
        },
        additionalProperties: false,
      },
    },
    repeatable: true,
    run: (input, context) => listDir(input, { context, policy }),
  };
}

interface Reach {
  readonly context: ToolContext;
  readonly policy: FilePolicy;
}

async function listDir(
  input: Readonly<Record<string, unknown>>,
  { context, policy }: Reach,
): Promise<ToolOutcome> {
  const { path = ".", depth = 1 } = input as { readonly path?: string; readonly depth?: number };
  const walk = new Walk(new Workspace(context.workspace, { policy, root: context.workspaceRoot }), {
    maxDepth: depth,
    maxEntries: MAX_LISTED,
    withSizes: true,
    skip: new Set([".git", "node_modules"]),
    signal: context.signal,
  });
  const lines: string[] = [];
  for await (const entry of walk.entries(path)) {
    if (entry.kind === "folder") lines.push(`${entry.path}/`);
    else if (entry.kind === "file") lines.push(`${entry.path} ${entry.size ?? "?"}`);
    else lines.push(`${entry.path} (${entry.kind === "link" ? "link" : "no regular file"})`);
  }
  if (lines.length === 0) return { type: "result", value: `${path} is empty.` };
  if (!walk.cutShort) return { type: "result", value: lines.join("\n") };
  lines.push(
    `[truncated: only ${lines.length} entries are shown; list a folder below, or use search_files with glob]`,
  );
  return { type: "result", value: lines.join("\n"), truncated: true };
}

function readFileTool(reach: Omit<ReadReach, "context">): Tool {
  return {
    definition: {
      name: "read_file",
      description:
        "Reads a text file of the workspace. Long files come in pieces: the last line of the answer says how to go on. The first line names its version.",
      parameters: {
        type: "object",
        properties: {
          path: PATH,
          start_line: { type: "integer", minimum: 1, description: "First line to show. Default 1." },
          max_lines: {
            type: "integer",
            minimum: 1,
            maximum: MAX_READ_LINES,
            description: `Lines to show at most. Default ${DEFAULT_READ_LINES}.`,
          },
        },
        required: ["path"],
        additionalProperties: false,
      },
    },
    repeatable: true,
    run: (input, context) => readFile(input, { context, ...reach }),
  };
}

interface ReadReach extends Reach {
  readonly versions: FileVersions;
}

function readFile(
  input: Readonly<Record<string, unknown>>,
  { context, policy, versions }: ReadReach,
): Promise<ToolOutcome> {
  const asked = input as { readonly path: string; readonly start_line?: number; readonly max_lines?: number };
  const start = asked.start_line ?? 1;
  return new Workspace(context.workspace, { policy, root: context.workspaceRoot }).withFile(
    asked.path,
    async ({ handle, path, place, size }) => {
      const version = await versionOf(handle, context.signal);
      const piece = await readWindow(handle, size, {
        start,
        maxLines: asked.max_lines ?? DEFAULT_READ_LINES,
        maxChars: MAX_READ_CHARS,
        maxLineChars: MAX_LINE_CHARS,
        maxBytes: MAX_READ_BYTES,
        signal: context.signal,
      });
      versions.note(context.taskId, place, { version, size });
      if (piece.binary) {
        return {
          type: "result",
          value: `${path} is a binary file of ${size} bytes (version ${version}); read_file shows text only.`,
        };
      }
      const end = start + piece.lines.length - 1;
      if (piece.lines.length === 0) {
        const why = size === 0 ? "is empty" : `has nothing at line ${start}`;
        return {
          type: "result",
          value: `${path} ${why} (${size} bytes, version ${version}).`,
          ...(piece.more ? { truncated: true } : {}),
        };
      }
      const next = piece.more ? [`[truncated: call read_file with start_line ${end + 1} to go on]`] : [];
      const value = [
        `${path}, lines ${start}-${end} (${size} bytes, version ${version}):`,
        ...piece.lines,
        ...next,
      ].join("\n");
      return { type: "result", value, ...(piece.more || piece.cut ? { truncated: true } : {}) };
    },
  );
}

/**
 * The file toolset; `policy` may keep files inside the workspace from being read too, and `versions` is told which
 * task was shown what.
 */
export function fileToolset(
  policy: FilePolicy = allowAll,
  versions: FileVersions = new FileVersions(),
): Toolset {
  const tools: readonly Tool[] = [
    listDirTool(policy),
    readFileTool({ policy, versions }),
    searchFilesTool(policy),
  ];
  return {
    name: "file",
    description: "Reads files of the workspace: list_dir, read_file, search_files. Cannot write.",
    tools: () => tools,
  };
}
