// Which toolsets a child gets: asked for, else its agent's, else inherited; never what its parent lacks (design.md §7),
// nothing that a leaf may not have, none for a model that cannot call tools, and not all three capabilities without a
// grant (core/capabilities.ts). A child's are a part of its parent's. Pure; throws before anything is stored.

import { InvalidRequestError, LimitError } from "../base/errors.ts";
import { capabilitiesOf, CAPABILITIES, type CapabilitySettings } from "../core/capabilities.ts";
import type { ModelSettings } from "../core/settings.ts";
import type { TaskRole } from "../core/task.ts";
import { modelName } from "../config/models.ts";

/** Hermes's tools that a leaf never gets; whole toolsets of that kind are stripped (design.md §7). */
const LEAF_BLOCKED_TOOLSETS: ReadonlySet<string> = new Set([
  "delegation",
  "memory",
  "messaging",
  "code_execution",
]);

/** What comes with the role, not with the parent. */
const OWN_TOOLSETS: ReadonlySet<string> = new Set(["delegation", "progress", "ask"]);

export interface ToolsetQuestion {
  /** What the request names. */
  readonly asked: readonly string[] | undefined;
  /** What the agent's definition names; `null` inherits. */
  readonly ofAgent: readonly string[] | null;
  /** What the parent has; `null` without a parent. */
  readonly parentHas: readonly string[] | null;
  /** `delegation.default_toolsets`, for children who can inherit nothing. */
  readonly byDefault: readonly string[];
  readonly role: TaskRole;
  readonly model: ModelSettings;
  readonly known: ReadonlySet<string>;
  /** The agent's name, which a grant names. */
  readonly agent: string;
  readonly capabilities: CapabilitySettings;
}

/**
 * Contract: throws InvalidRequestError `unknown_toolset`, LimitError `toolset_not_inherited`, `model_without_tools` or
 * `capability_conflict`.
 */
export function toolsetsOf(question: ToolsetQuestion): readonly string[] {
  const { asked, ofAgent, parentHas, byDefault, role, model } = question;
  const named = asked ?? ofAgent;
  const wanted = new Set(named ?? parentHas ?? byDefault);
  const kept = [...wanted].filter((name) => role === "orchestrator" || !LEAF_BLOCKED_TOOLSETS.has(name));
  if (role === "orchestrator" && !kept.includes("delegation")) kept.push("delegation");
  if (kept.length > 0 && !kept.includes("progress")) kept.push("progress");
  checkKnown(kept, question.known);
  if (parentHas && named) checkInherited(kept, parentHas);
  if (model.tools || kept.length === 0) {
    checkCapabilities(kept, question);
    return kept;
  }
  if (asked === undefined && role === "leaf") return [];
  throw new LimitError(
    "model_without_tools",
    `The model ${modelName(model)} cannot call tools, and ${kept.join(", ")} was asked for. Use a model with tools, or toolsets: [].`,
    { details: { config_key: "delegation.model", model: modelName(model) } },
  );
}

function checkInherited(kept: readonly string[], parentHas: readonly string[]): void {
  const lacking = kept.filter((name) => !OWN_TOOLSETS.has(name) && !parentHas.includes(name));
  if (lacking.length === 0) return;
  throw new LimitError(
    "toolset_not_inherited",
    `A child may not have what its parent lacks: ${lacking.join(", ")}. The parent has ${parentHas.join(", ") || "none"}; give it the toolset first (toolsets: of its agent).`,
    { details: { config_key: "toolsets", toolsets: lacking } },
  );
}

/** Contract: throws LimitError `capability_conflict` for toolsets that hold all three without a grant. */
export function checkCapabilities(
  toolsets: readonly string[],
  { agent, capabilities }: Pick<ToolsetQuestion, "agent" | "capabilities">,
): void {
  if (capabilities.grants.includes(agent)) return;
  if (capabilitiesOf(toolsets, capabilities).length < CAPABILITIES.length) return;
  const words = toolsets.map((name) => {
    const held = capabilitiesOf([name], capabilities);
    return held.length === 0 ? null : `${name} (${held.join(", ")})`;
  });
  throw new LimitError(
    "capability_conflict",
    `No task may read what strangers wrote, touch private data and talk to the outside, all at once: a page could tell it to send your files away. Asked for: ${words.filter((each) => each !== null).join(", ")}. Leave one out, split the work over two tasks, or add ${agent} to tools.grants in the config.`,
    { details: { config_key: "tools.grants", agent, toolsets: [...toolsets] } },
  );
}

/** Throws InvalidRequestError `unknown_toolset`. */
export function checkKnown(names: readonly string[], known: ReadonlySet<string>): void {
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new InvalidRequestError(
    "unknown_toolset",
    `There is no toolset ${unknown.map((name) => `"${name}"`).join(", ")} in this version. Known: ${[...known].join(", ")}.`,
    { details: { toolsets: unknown } },
  );
}

/** What to tell of a child whose model cannot call tools; `null` for one that can. */
export function toollessNote(model: ModelSettings): string | null {
  if (model.tools) return null;
  return `The model ${modelName(model)} cannot call tools: this child has none and answers from its goal and context alone.`;
}
