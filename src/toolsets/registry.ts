// The one list of toolsets by name. A new toolset is one file, one line here, and one line in its conformance test.

import { InvalidRequestError } from "../base/errors.ts";
import { ASK_TIMEOUT_MS } from "../core/limits.ts";
import type { TaskRole } from "../core/task.ts";
import type { ApprovalRule } from "../core/approval.ts";
import type { Tool, Toolset } from "../core/tool.ts";
import { withApproval } from "./approval.ts";
import { askToolset } from "./ask.ts";
import { delegationToolset } from "./delegation.ts";
import type { DelegationOptions } from "./delegation.ts";
import { fileToolset } from "./file.ts";
import { fileWriteToolset } from "./file-write.ts";
import { secretFiles } from "./file-policy.ts";
import { anyOf, deniedFiles, keptFiles, unwritableFiles } from "./file-write-policy.ts";
import { FileVersions } from "./file-versions.ts";
import { progressToolset } from "./progress.ts";
import { terminalToolset, type TerminalOptions } from "./terminal.ts";
import { WEB_TOOLSET, webToolset, type WebOptions } from "./web.ts";
import { allowAll } from "./workspace.ts";
import type { FilePolicy } from "./workspace.ts";

/** What tools may do with files, and what tasks know of them. */
export interface FileOptions {
  /** Keeps files of the workspace back; absent keeps none. */
  readonly filePolicy?: FilePolicy;
  /** Keeps files of the workspace from being written; absent keeps none. */
  readonly fileWritePolicy?: FilePolicy;
  /** What tasks know of files; absent begins anew. */
  readonly fileVersions?: FileVersions;
}

export interface ToolsetOptions extends DelegationOptions, FileOptions {
  /** How the web is reached; without it there is no web toolset. */
  readonly web?: WebOptions;
  /** Where commands run; the terminal refuses every call when absent. */
  readonly terminal?: TerminalOptions;
  /** Which toolsets ask a person first, by name; the others act at once. */
  readonly approvals?: Readonly<Record<string, ApprovalRule>>;
  /** How long a question to a parent waits for its answer. */
  readonly askTimeoutMs?: number;
}

export interface FileRules {
  /** Absolute paths that are Troupe's own, links resolved. */
  readonly homes: readonly string[];
  /** Files that are read and never written, as absolute paths, links resolved: Troupe's config. */
  readonly kept: readonly string[];
  /** Patterns of `tools.file.deny` and `tools.file.allow`. */
  readonly deny: readonly string[];
  readonly allow: readonly string[];
}

/** The file tools of a box; a runtime that takes another's place goes on with the same. */
export function fileOptions({ homes, kept, deny, allow }: FileRules): FileOptions {
  return {
    filePolicy: anyOf([secretFiles({ homes }), deniedFiles(deny)]),
    fileWritePolicy: anyOf([keptFiles(kept), unwritableFiles({ allow })]),
    fileVersions: new FileVersions(),
  };
}

/** Where some tools of a toolset only look, or end what was allowed: those that ask; else all do. */
const ACTING: Readonly<Record<string, ReadonlySet<string>>> = {
  terminal: new Set(["terminal", "terminal_start", "terminal_write"]),
};

/** Every toolset of this version. */
export function builtinToolsets(options: ToolsetOptions): readonly Toolset[] {
  const { filePolicy: policy = allowAll, fileWritePolicy: writePolicy = allowAll } = options;
  const versions = options.fileVersions ?? new FileVersions();
  const toolsets = [
    delegationToolset(options),
    fileToolset(policy, versions),
    fileWriteToolset({ policy, writePolicy, versions }),
    progressToolset,
    askToolset(options.askTimeoutMs ?? ASK_TIMEOUT_MS),
    terminalToolset(options.terminal ?? null),
    ...(options.web ? [webToolset(options.web)] : []),
  ];
  const { approvals = {} } = options;
  return toolsets.map((toolset) => {
    const rule = Object.hasOwn(approvals, toolset.name) ? approvals[toolset.name] : undefined;
    return rule ? withApproval(toolset, rule, ACTING[toolset.name]) : toolset;
  });
}

/** The names that may stand in `toolsets:`, for the config's check, which comes before any toolset is made. */
export function toolsetNames(): readonly string[] {
  return [...builtinToolsets({ onInterrupt: "continue" }).map(({ name }) => name), WEB_TOOLSET];
}

/** Names that people know from Hermes and that a later version brings, or none does. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "browser",
  "code_execution",
  "memory",
  "messaging",
  "cronjob",
  "kanban",
  "skills",
]);

export class ToolsetRegistry {
  readonly #toolsets: ReadonlyMap<string, Toolset>;

  constructor(toolsets: readonly Toolset[]) {
    this.#toolsets = new Map(toolsets.map((toolset) => [toolset.name, toolset]));
  }

  get names(): ReadonlySet<string> {
    return new Set(this.#toolsets.keys());
  }

  /**
   * Contract: throws InvalidRequestError `toolset_unavailable` for one that this version does not have yet, and
   * `unknown_toolset` with the known names for any other.
   */
  find(name: string): Toolset {
    const found = this.#toolsets.get(name);
    if (found !== undefined) return found;
    const names = [...this.#toolsets.keys()];
    if (ELSEWHERE.has(name)) {
      const message = `The toolset ${name} is not available in this version. Use one of: ${names.join(", ")}.`;
      throw new InvalidRequestError("toolset_unavailable", message, { details: { toolset: name } });
    }
    const message = `Expected the name of a toolset, got ${JSON.stringify(name)}. Known: ${names.join(", ")}.`;
    throw new InvalidRequestError("unknown_toolset", message, { details: { toolset: name, known: names } });
  }

  /** Lets go of what any toolset holds for a task. Contract: as of Toolset. */
  async release(taskId: string): Promise<void> {
    await Promise.all([...this.#toolsets.values()].map(async (toolset) => toolset.release?.(taskId)));
  }

  /** The tools of these toolsets for a task of this role, each once. Contract: throws as `find` does. */
  toolsOf(names: readonly string[], role: TaskRole): readonly Tool[] {
    return [...new Set(names)].flatMap((name) => this.find(name).tools(role));
  }
}
