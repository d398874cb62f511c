// `troupe init`: a commented config.yaml from what was found. Never overwrites without `force`, and writes no secret.

import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ConfigError, messageOf } from "../base/errors.ts";
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
    "#agents:",
    "#  researcher:",
    "#    description: Reads files and reports what they say.",
    "#    toolsets: [file]",
    "#    async: true",
    "",
  ];
  return lines.join("\n");
}

/**
 * Contract: writes the whole file or nothing (0600). Throws ConfigError `config_exists` without `force`, and
 * `config_unwritable`.
 */
export async function writeConfig(file: string, text: string, force = false): Promise<void> {
  const temporary = `${file}.new`;
  const unwritable = (error: unknown): ConfigError =>
    new ConfigError("config_unwritable", `Expected to write ${file}, got: ${messageOf(error)}.`, {
      cause: error,
      details: { file },
    });
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unwritable(error);
  }
  try {
    if (!force) return await writeFile(file, text, { mode: 0o600, flag: "wx" });
    await writeFile(temporary, text, { mode: 0o600 });
    await rename(temporary, file);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "EEXIST") {
      const message = `Expected no file at ${file}, got one. Keep it, or overwrite it with: troupe init --force`;
      throw new ConfigError("config_exists", message, { details: { file } });
    }
    await rm(temporary, { force: true }).catch(() => {});
    throw unwritable(error);
  }
}
