// search_files: literal text in the files of a folder, a file name pattern, or both. No regular expressions: a
// model's pattern could take forever, and small models write them wrongly.

import { settle } from "../base/clock.ts";
import { ToolError } from "../base/errors.ts";
import type { Tool, ToolContext, ToolOutcome } from "../core/tool.ts";
import { readStart } from "./file-text.ts";
import { Walk } from "./file-walk.ts";
import { finderOf } from "./find-text.ts";
import { globMatches } from "./glob.ts";
import { Workspace } from "./workspace.ts";
import type { FilePolicy } from "./workspace.ts";

const MAX_MATCHES = 100;
const MAX_ENTRIES = 20_000;
const MAX_DEPTH = 16;
/** Of one file; what stands behind it is not searched. */
const MAX_FILE_BYTES = 2 * 1024 * 1024;
const MAX_TOTAL_BYTES = 128 * 1024 * 1024;
const MAX_SHOWN_CHARS = 200;
const MAX_KEPT_BACK_SHOWN = 3;
/** Entries that are looked at before others have their turn. */
const ENTRIES_IN_A_ROW = 256;
/** Neither is written by hand; both can hold more than all the rest. */
const SKIPPED = new Set([".git", "node_modules"]);

interface Query {
  readonly text: string | null;
  readonly glob: string | null;
  readonly path: string;
  readonly caseSensitive: boolean;
}

/** What was found and what was left out, of one search. */
class Findings {
  readonly lines: string[] = [];
  /** Why files were not searched that the policy keeps back, the first few. */
  readonly keptBack: string[] = [];
  bytes = 0;
  files = 0;
  truncated = false;

  get full(): boolean {
    return this.lines.length >= MAX_MATCHES || this.bytes >= MAX_TOTAL_BYTES;
  }

  /** Contract: false when nothing more is wanted. */
  add(line: string): boolean {
    if (this.lines.length < MAX_MATCHES) {
      this.lines.push(line);
      return true;
    }
    this.truncated = true;
    return false;
  }
}

/** The part of a line around the match, within the bound. */
function shown(line: string, at: number): string {
  const text = line.replace(/\r$/, "");
  if (text.length <= MAX_SHOWN_CHARS) return text.trim();
  const from = Math.max(0, Math.min(at - MAX_SHOWN_CHARS / 4, text.length - MAX_SHOWN_CHARS));
  return `…${text
    .slice(from, from + MAX_SHOWN_CHARS)
    .toWellFormed()
    .trim()}…`;
}

/** Goes from match to match, not from line to line, so that a file without any costs one pass. */
function matchesOf(text: string, query: Query, report: (line: number, shown: string) => boolean): void {
  const wanted = query.caseSensitive ? (query.text as string) : (query.text as string).toLowerCase();
  const folded = query.caseSensitive ? text : text.toLowerCase();
  // A few letters change length when folded; then positions differ, and only whole lines are safe.
  const exact = folded.length === text.length;
  const source = exact ? text : folded;
  let line = 1;
  let lineStart = 0;
  const find = finderOf(wanted);
  for (let at = find(folded, 0); at >= 0;) {
    for (
      let end = folded.indexOf("\n", lineStart);
      end >= 0 && end < at;
      end = folded.indexOf("\n", lineStart)
    ) {
      line++;
      lineStart = end + 1;
    }
    const end = folded.indexOf("\n", at);
    const stop = end < 0 ? folded.length : end;
    if (!report(line, shown(source.slice(lineStart, stop), at - lineStart)) || end < 0) return;
    at = find(folded, end);
  }
}

function searchFile(workspace: Workspace, path: string, search: Search): Promise<void> {
  const { query, findings, context } = search;
  return workspace.withFile(path, async ({ handle, size }) => {
    const start = await readStart(handle, MAX_FILE_BYTES, context.signal);
    findings.bytes += start?.bytes ?? 0;
    if (start === null) return;
    if (size > MAX_FILE_BYTES) findings.truncated = true;
    findings.files++;
    matchesOf(start.text, query, (line, text) => findings.add(`${path}:${line}: ${text}`));
  });
}

/** The files below the query's path, until enough is found. Contract: whether all was looked at. */
async function searchFolder(workspace: Workspace, search: Search): Promise<boolean> {
  const { query, findings, context } = search;
  const walk = new Walk(workspace, {
    maxDepth: MAX_DEPTH,
    maxEntries: MAX_ENTRIES,
    withSizes: false,
    skip: SKIPPED,
    signal: context.signal,
  });
  let looked = 0;
  for await (const entry of walk.entries(query.path)) {
    // Names of one folder come at once, and each may be compared for long.
    if ((looked += 1) % ENTRIES_IN_A_ROW === 0) await settle();
    if (entry.kind !== "file") continue;
    if (query.glob !== null && !globMatches(query.glob, entry.path)) continue;
    if (findings.full) return false;
    if (query.text === null) {
      findings.add(entry.path);
      continue;
    }
    try {
      await searchFile(workspace, entry.path, search);
    } catch (error) {
      // Unreadable, gone or swapped meanwhile: the search goes on without it.
      if (!(error instanceof ToolError)) throw error;
      if (error.code === "kept_back" && findings.keptBack.length < MAX_KEPT_BACK_SHOWN) {
        findings.keptBack.push(`[not searched: ${error.message}]`);
      }
    }
  }
  return !walk.truncated;
}

interface Search {
  readonly query: Query;
  readonly findings: Findings;
  readonly context: ToolContext;
}

async function searchFiles(query: Query, context: ToolContext, policy: FilePolicy): Promise<ToolOutcome> {
  const workspace = new Workspace(context.workspace, { policy, root: context.workspaceRoot });
  const search: Search = { query, findings: new Findings(), context };
  const { findings } = search;
  try {
    findings.truncated = !(await searchFolder(workspace, search)) || findings.truncated;
  } catch (error) {
    // Models name a file where a folder is meant; what they want is clear.
    if (!(error instanceof ToolError && error.code === "not_a_folder" && query.text !== null)) throw error;
    await searchFile(workspace, query.path, search);
  }
  const what = query.text === null ? `files like ${query.glob}` : JSON.stringify(query.text);
  const { truncated } = findings;
  const none = `Nothing found for ${what}${query.text === null ? "" : ` in ${findings.files} files`}.`;
  const lines = findings.lines.length === 0 ? [none] : findings.lines;
  const mark = truncated
    ? ["[truncated: not everything was searched or shown; narrow path, text or glob]"]
    : [];
  return {
    type: "result",
    value: [...lines, ...findings.keptBack, ...mark].join("\n"),
    ...(truncated ? { truncated: true } : {}),
  };
}

export function searchFilesTool(policy: FilePolicy): Tool {
  return {
    definition: {
      name: "search_files",
      description:
        "Finds text in the files of the workspace, or files by name. Give text, glob, or both. Answers with path:line: text. .git and node_modules are left out.",
      parameters: {
        type: "object",
        properties: {
          text: {
            type: "string",
            maxLength: 1000,
            description: "Literal text to find; not a regular expression.",
          },
          glob: {
            type: "string",
            maxLength: 200,
            description: "Files to look at, like *.ts or src/**/*.md.",
          },
          path: {
            type: "string",
            maxLength: 4096,
            description: "Folder to search. Default: the whole workspace.",
          },
          case_sensitive: { type: "boolean", description: "Default false." },
        },
        additionalProperties: false,
      },
    },
    repeatable: true,
    run: (input, context) => {
      const asked = input as {
        readonly text?: string;
        readonly glob?: string;
        readonly path?: string;
        readonly case_sensitive?: boolean;
      };
      const query: Query = {
        text: asked.text || null,
        glob: asked.glob || null,
        path: asked.path || ".",
        caseSensitive: asked.case_sensitive ?? false,
      };
      if (query.text === null && query.glob === null) {
        return Promise.reject(new ToolError("bad_arguments", "Expected text, glob, or both, got neither."));
      }
      return searchFiles(query, context, policy);
    },
  };
}
