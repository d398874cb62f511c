// The one list of toolsets by name. A new toolset is one file, one line here, and one line in its conformance test.

import { InvalidRequestError } from "../base/errors.ts";
import type { TaskRole } from "../core/task.ts";
import type { Tool, Toolset } from "../core/tool.ts";
import { fileToolset } from "./file.ts";

const TOOLSETS: readonly Toolset[] = [fileToolset()];

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

/** The names that may stand in `toolsets:`. */
export function toolsetNames(): readonly string[] {
  return TOOLSETS.map((toolset) => toolset.name);
}

/**
 * Contract: throws InvalidRequestError `toolset_unavailable` for one that this version does not have yet, and
 * `unknown_toolset` with the known names for any other.
 */
export function findToolset(name: string): Toolset {
  const found = TOOLSETS.find((toolset) => toolset.name === name);
  if (found !== undefined) return found;
  const known = toolsetNames().join(", ");
  if (ELSEWHERE.has(name)) {
    const message = `The toolset ${name} is not available in this version. Use one of: ${known}.`;
    throw new InvalidRequestError("toolset_unavailable", message, { details: { toolset: name } });
  }
  const message = `Expected the name of a toolset, got ${JSON.stringify(name)}. Known: ${known}.`;
  throw new InvalidRequestError("unknown_toolset", message, {
    details: { toolset: name, known: toolsetNames() },
  });
}

/** The tools of these toolsets for a task of this role, each once. Contract: throws as findToolset does. */
export function toolsFor(names: readonly string[], role: TaskRole): readonly Tool[] {
  return [...new Set(names)].flatMap((name) => findToolset(name).tools(role));
}
