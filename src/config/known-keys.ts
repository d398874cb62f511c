// The keys that the schema knows, read from the schema itself, and what to say to people who bring other keys
// from Hermes.

import { z } from "zod";
import { configSchema } from "../core/config-schema.ts";
import type { ConfigPath } from "./problem.ts";

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
}

const ROOT = z.toJSONSchema(configSchema, { io: "input" }) as SchemaNode;

/** The keys that may stand in the block at `path`; none where it is no block. */
export function knownKeys(path: ConfigPath): readonly string[] {
  let node: SchemaNode | undefined = ROOT;
  for (const part of path) {
    const others: SchemaNode | boolean | undefined = node?.additionalProperties;
    const other: SchemaNode | undefined = typeof others === "object" ? others : undefined;
    node = typeof part === "number" ? node?.items : (node?.properties?.[part] ?? other);
  }
  return Object.keys(node?.properties ?? {});
}

/** Every key of the schema, `*` standing for a name of the person's: `agents.*.model`. */
export function allKeys(node: SchemaNode = ROOT, prefix = ""): readonly string[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const name = prefix === "" ? key : `${prefix}.${key}`;
    return [name, ...allKeys(child, name)];
  });
  const others = node.additionalProperties;
  const named = typeof others === "object" ? allKeys(others, `${prefix}.*`) : [];
  return [...own, ...named, ...(node.items ? allKeys(node.items, `${prefix}.*`) : [])];
}

/** Keys of Hermes that mean something here under another name, or nothing. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ["tools", "Name toolsets instead: toolsets: [file]."],
  ["max_summary_chars", "It is max_result_chars here."],
  ["max_async_children", "It is max_concurrent_children here."],
  ["orchestrator_enabled", "Use max_spawn_depth: 1 so that no child delegates."],
  ["api_mode", "Use type: ollama or type: openai of the provider."],
  ["async_worker_pool", "Use gpus and slots: the scheduler starts children as places come free."],
]);

/** ` <advice>` for a key that people bring from elsewhere; `null` for any other. */
export function foreignKeyHint(key: string): string | null {
  const hint = FOREIGN.get(key);
  return hint === undefined ? null : ` ${hint}`;
}
