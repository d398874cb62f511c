// `troupe init`: a commented config.yaml from what was found. Never overwrites without `force`, and writes no secret.

import { lstat, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ConfigError, messageOf } from "../base/errors.ts";
import { type Random, systemRandom, toHex } from "../base/ids.ts";
import type { Discovery } from "./discovery.ts";
import type { ProviderPlan } from "./plan.ts";

export interface FoundConfig {
  readonly plans: readonly ProviderPlan[];
  readonly discovery: Discovery;
  /** `provider/model`; `null` where none was found. */
  readonly parentModel: string | null;
  readonly childModel: string | null;
}

/** A scalar that YAML reads back as this very text: JSON strings are YAML. */
function quoted(text: string): string {
  return /^[A-Za-z][A-Za-z0-9._/-]*$/.test(text) ? text : JSON.stringify(text);
}

function modelLines({ plans, discovery }: FoundConfig): readonly string[] {
  return plans.flatMap((plan) => {
    const found = discovery.providers[plan.name];
    if (found?.reachable !== true) return [`#   ${plan.name}: no answer at ${plan.baseUrl}`];
    return found.models
      .filter((model) => !model.embeddingOnly)
      .map((model) => {
        const size = model.sizeBytes === null ? "" : `, ${(model.sizeBytes / 1024 ** 3).toFixed(1)} GiB`;
        return `#   ${plan.name}/${model.name}${size}${model.tools ? ", tools" : ", no tools"}`.replaceAll(
          /[\r\n]/g,
          " ",
        );
      });
  });
}

function providerLines({ plans, discovery }: FoundConfig): readonly string[] {
  return plans.flatMap((plan) => [
    `  ${plan.name}:`,
    `    type: ${discovery.providers[plan.name]?.type ?? plan.type}`,
    `    base_url: ${quoted(plan.baseUrl)}`,
    ...(plan.apiKey?.startsWith("env:") === true ? [`    api_key: ${plan.apiKey}`] : []),
    `    #slots: auto  # generations at once; raise it if the server runs several (OLLAMA_NUM_PARALLEL)`,
  ]);
}

/** Contract: the text parses as a config; never throws. */
export function renderConfig(found: FoundConfig): string {
  const set = (key: string, model: string | null, indent = ""): string =>
    model === null ? `${indent}#${key}: provider/model` : `${indent}${key}: ${quoted(model)}`;
  const lines = [
    "# Troupe's config. Every key is optional; config.example.yaml lists all of them with their defaults.",
    "# Models that were found:",
    ...modelLines(found),
    "",
    "# Who talks with you.",
    set("model", found.parentModel),
    "",
    "# The folder that agents may read.",
    "workspace: .",
    "",
    "delegation:",
    "  # Who works in the background.",
    set("model", found.childModel, "  "),
    "  max_concurrent_children: 3  # children of one parent at once",
    "  max_spawn_depth: 1          # 2 lets children with role orchestrator delegate too",
    "",
    "providers:",
    ...providerLines(found),
    "  # Any OpenAI-compatible endpoint; the key stays in the environment:",
    "  #cloud:",
    "  #  type: openai",
    "  #  base_url: https://api.openai.com/v1",
    "  #  api_key: env:OPENAI_API_KEY",
    "",
    "store:",
    "  path: troupe.db   # in Troupe's home; tasks and results survive a restart",
    "  durability: full  # survives a power loss; normal survives a crash, none keeps all in memory",
    "",
    "#agents:",
    "#  researcher:",
    "#    description: Reads files and reports what they say.",
    "#    toolsets: [file]",
    "#    async: true",
    "",
  ];
  return lines.join("\n");
}

function unwritable(file: string, error: unknown): ConfigError {
  return new ConfigError("config_unwritable", `Expected to write ${file}, got: ${messageOf(error)}.`, {
    cause: error,
    details: { file },
  });
}

async function isLink(file: string): Promise<boolean> {
  try {
    return (await lstat(file)).isSymbolicLink();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** Puts a new file in the place of the old one; a name that nobody can guess and `wx` follow no planted link. */
async function replace(file: string, text: string, random: Random): Promise<void> {
  const draft = `${file}.${toHex(random.bytes(8))}.new`;
  await writeFile(draft, text, { mode: 0o600, flag: "wx" });
  try {
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
}

export interface WriteOptions {
  /** Overwrite what is there; a link is refused all the same. */
  readonly force?: boolean;
  readonly random?: Random;
}

/**
 * Contract: writes the whole file or nothing (0600), and never through a link. Throws ConfigError `config_exists`
 * without `force`, `config_is_link`, and `config_unwritable`.
 */
export async function writeConfig(file: string, text: string, options: WriteOptions = {}): Promise<void> {
  const { force = false, random = systemRandom } = options;
  let link: boolean;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    link = await isLink(file);
  } catch (error) {
    throw unwritable(file, error);
  }
  if (link && force) {
    const message =
      `Expected no link at ${file}, got one: what it leads to is not overwritten. ` +
      "Delete the link, or name the file itself with --config.";
    throw new ConfigError("config_is_link", message, { details: { file } });
  }
  try {
    if (force) await replace(file, text, random);
    else await writeFile(file, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (force || (error as NodeJS.ErrnoException).code !== "EEXIST") throw unwritable(file, error);
    const message = `Expected no file at ${file}, got one. Keep it, or overwrite it with: troupe init --force`;
    throw new ConfigError("config_exists", message, { details: { file } });
  }
}
