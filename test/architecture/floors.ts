// The floors of the building, as data: which folder stands on which floor, and who owns which dependency
// (design: a file imports from a lower floor or from its own folder, siblings never import each other).
// The README and AGENTS.md draw the same picture; test/docs.test.ts compares them with this table.

/** Rooms by floor, lowest first. Files that lie in `src/` itself are the room `src`. */
export const FLOORS: readonly (readonly string[])[] = [
  ["src/base", "web/model"],
  ["src/core"],
  [
    "providers",
    "src/credentials",
    "src/scheduler",
    "src/store",
    "src/toolsets",
    "src/sandbox",
    "src/config",
    "src/simulator",
  ],
  ["machines"],
  ["src/runtime", "src/http"],
  ["src"],
  ["src/cli", "web"],
];

/** `machines/` may know the shapes of this floor, and nothing else of it. */
export const TYPES_ONLY_FLOOR = 2;

/** Folders whose files are the product: every rule holds for them. */
export const PRODUCT_ROOTS: readonly string[] = ["src", "machines", "providers", "web"];

/** Folders beside the product: they import what they like, and nobody in the product imports them. */
export const BESIDE_ROOTS: readonly string[] = ["test", "bench", "scripts"];

/** The room that a path lies in, or `null` for a path of the product that has no room on the floors. */
export function roomOf(path: string): string | null {
  const parts = path.split("/");
  const nested = parts[0] === "src" || (parts[0] === "web" && parts[1] === "model");
  const room = nested && parts.length > 2 ? `${parts[0]}/${parts[1]}` : (parts[0] ?? "");
  return floorOf(room) < 0 ? null : room;
}

export function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

/**
 * Who may import a package: rooms, or single files where one adapter owns it. A package that is not listed here
 * has no owner, and importing it from the product is refused.
 */
export const PACKAGE_OWNERS: Readonly<Record<string, readonly string[]>> = {
  xstate: ["machines", "src/runtime"],
  hono: ["src/http", "src/simulator"],
  "hono-openapi": ["src/http"],
  "@hono/standard-validator": ["src/http"],
  "@hono/node-server": ["src/base/listen-node.ts"],
  ws: ["src/base/listen-node.ts"],
  ollama: ["providers"],
  openai: ["providers"],
  undici: ["src/base", "providers"],
  // What browsers load by the import map of src/http/shell-files.ts.
  preact: ["web"],
  "@preact/signals": ["web"],
  htm: ["web"],
  "@dagrejs/dagre": ["web"],
  yaml: ["src/config"],
  // Loaded with the first page that a model reads.
  htmlparser2: ["src/toolsets"],
  // Loaded when a screen is opened, and by nothing else.
  ink: ["src/cli/top/full-screen.ts"],
  react: ["src/cli/top/full-screen.ts"],
  // The edges: what comes from a person, a model server, a client or a model is parsed where it comes in.
  zod: ["src/core", "src/config", "src/http", "src/cli", "src/toolsets", "src/simulator", "providers"],
};

/**
 * The same for what the runtime brings along. The floors above `base` are to run in a simulation, so that only
 * adapters reach the machine.
 */
export const BUILTIN_OWNERS: Readonly<Record<string, readonly string[]>> = {
  "node:async_hooks": ["src/base"],
  "node:buffer": ["src/base", "src/credentials/redact.ts"],
  "node:child_process": ["src/base", "src/cli"],
  // Hashing alone: randomness comes from base.
  "node:crypto": ["src/base", "src/credentials/credential.ts", "src/toolsets/file-versions.ts"],
  "node:fs": ["src/base", "src/config", "src/toolsets", "src/cli", "src/store", "src/http/token.ts"],
  "node:fs/promises": [
    "src/base",
    "src/sandbox",
    "src/config",
    "src/toolsets",
    "src/cli",
    "src/store",
    "src/http/token.ts",
    "src/http/made-tokens.ts",
    "src/http/shell-files.ts",
  ],
  "node:dns/promises": ["src/base"],
  "node:http": ["src/base"],
  "node:https": ["src/base"],
  "node:net": ["src/base"],
  "node:os": ["src/base", "src/cli"],
  "node:path": [
    "src/base",
    "src/sandbox",
    "src/config",
    "src/toolsets",
    "src/cli",
    "src/store",
    "src",
    "src/http/token.ts",
    "src/http/made-tokens.ts",
    "src/http/shell-files.ts",
  ],
  "node:process": ["src/base", "src/cli"],
  "node:readline": ["src/cli"],
  "node:readline/promises": ["src/cli"],
  "node:sqlite": ["src/store"],
  "node:stream": ["src/base"],
  "node:tls": ["src/base"],
  "node:url": ["src/base", "src/config", "src/toolsets", "src/cli", "src"],
  "node:util": ["src/base", "src/cli"],
  "node:worker_threads": ["src/base", "src/store"],
};

/** `hono/streaming` → `hono`, `@hono/node-server/x` → `@hono/node-server`; built-ins keep their whole name. */
export function packageOf(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier;
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}
