// The one list of toolsets by name. A new toolset is one file, one line here, and one line in its conformance test.

import { InvalidRequestError } from "../base/errors.ts";
import type { TaskRole } from "../core/task.ts";
import type { Tool, Toolset } from "../core/tool.ts";
import { delegationToolset } from "./delegation.ts";
import type { DelegationOptions } from "./delegation.ts";
import { fileToolset } from "./file.ts";
import { progressToolset } from "./progress.ts";
import type { FilePolicy } from "./workspace.ts";

export interface ToolsetOptions extends DelegationOptions {
  /** Keeps files of the workspace back; absent keeps none. */
  readonly filePolicy?: FilePolicy;
}

/** Every toolset of this version. */
export function builtinToolsets(options: ToolsetOptions): readonly Toolset[] {
  return [delegationToolset(options), fileToolset(options.filePolicy), progressToolset];
}

/** The names that may stand in `toolsets:`, for the config's check, which comes before any toolset is made. */
export function toolsetNames(): readonly string[] {
  return builtinToolsets({ onInterrupt: "continue" }).map(({ name }) => name);
}

/** Names that people know from Hermes and that a later version brings, or none does. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "terminal",
  "web",
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

  /** The tools of these toolsets for a task of this role, each once. Contract: throws as `find` does. */
  toolsOf(names: readonly string[], role: TaskRole): readonly Tool[] {
    return [...new Set(names)].flatMap((name) => this.find(name).tools(role));
  }
}
