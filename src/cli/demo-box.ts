// The box that the demo runs on: a simulated one that is started here, or an Ollama that somebody runs. One generation
// at a time on either, so that waiting can be seen and no figure depends on luck.
//
// B1. While the parent's model writes, no child does: between a person's message and the call that it leads to, the
//     children take no more than the turn they are in. That is why a steer always finds its task alive.

import { fileURLToPath } from "node:url";
import { seededRandom } from "../base/ids.ts";
import { serve } from "../base/listen.ts";
import { compose, type Troupe, type World } from "../compose.ts";
import type { TroupeApi } from "../core/api.ts";
import { configSchema, type Config } from "../core/config-schema.ts";
import { DEFAULT_MODELS } from "../simulator/config.ts";
import { createSimulator } from "../simulator/simulator.ts";
import type { DemoBackend } from "./demo-options.ts";

export interface DemoBox {
  readonly troupe: Troupe;
  /** What stands above everything that is shown. */
  readonly title: string;
  /** The same in a word or two, beside the slot. */
  readonly server: string;
  readonly backend: "simulated" | "ollama";
  /** Its children are known to follow a steer; what a model makes of one is its own affair. */
  readonly followsSteers: boolean;
  /** Who delegates: rules of the simulator, a model, or this program over the API. */
  readonly parent: "simulated" | "model" | "scripted";
  close(): Promise<void>;
}

export interface DemoBoxOptions {
  readonly backend: DemoBackend;
  readonly world: World;
  /** How many times faster than life the simulated box runs. */
  readonly speed: number;
}

const SIMULATED = "simulated";
/** Figures for a show of some twenty seconds; no card was measured. */
const LOAD_MS = 600;
const PARENT = { prefillTokensPerS: 6_000, decodeTokensPerS: 150 };
const CHILD = { prefillTokensPerS: 3_000, decodeTokensPerS: 50 };
/** Tokens of one answer: a model with random weights may never end by itself, and its context may be small. */
const OUTPUT_TOKENS = 300;
/** A model that delegates three goals in one answer, and may think before, needs more. */
const DELEGATING_OUTPUT_TOKENS = 2_048;
/** What a scripted parent's session reads of a child's result. */
const RESULT_CHARS = 800;
/** The agent of the children that a scripted parent delegates to. */
export const SCRIPTED_CHILD = "demo-child";

/** The folder of this package: its files are what the children work on, and they only read. */
const WORKSPACE = fileURLToPath(new URL("../../", import.meta.url)).replace(/[/\\]$/, "");

/** Contract: throws ConfigError for a model or a server that is not there. The caller closes it. */
export function startDemoBox(options: DemoBoxOptions): Promise<DemoBox> {
  const { backend } = options;
  return backend.kind === "simulated" ? simulatedBox(options) : ollamaBox(options, backend);
}

async function simulatedBox({ world, speed }: DemoBoxOptions): Promise<DemoBox> {
  const { clock } = world;
  const models = DEFAULT_MODELS.map((model) => {
    const rates = model.name === "sim-orchestrator" ? PARENT : CHILD;
    return {
      ...model,
      loadMs: LOAD_MS / speed,
      prefillTokensPerS: rates.prefillTokensPerS * speed,
      decodeTokensPerS: rates.decodeTokensPerS * speed,
    };
  });
  const simulator = createSimulator({ clock, random: seededRandom(1), config: { models, slots: 1 } });
  const listening = await serve((request) => simulator.app.fetch(request), {
    hostname: "127.0.0.1",
    port: 0,
  });
  const stop = async (): Promise<void> => {
    await listening.close();
    simulator.close();
  };
  const config = configSchema.parse({
    workspace: WORKSPACE,
    model: "sim-orchestrator",
    delegation: { model: "sim-worker" },
    providers: { [SIMULATED]: { type: "ollama", base_url: listening.url, slots: 1 } },
    store: { durability: "none" },
    log: { level: "warn" },
  });
  return boxOf({ world, config, stop }, () => ({
    title: "SIMULATED GPU box with one slot: rules, no models; real files",
    server: "simulated GPU",
    backend: "simulated",
    followsSteers: true,
    parent: "simulated",
  }));
}

function ollamaBox(
  { world }: DemoBoxOptions,
  backend: DemoBackend & { readonly kind: "ollama" },
): Promise<DemoBox> {
  const { model, parentModel, url } = backend;
  const scripted = parentModel === null;
  const config = configSchema.parse({
    workspace: WORKSPACE,
    model: parentModel ?? model,
    delegation: {
      model,
      max_turns: 16,
      max_output_tokens: scripted ? OUTPUT_TOKENS : DELEGATING_OUTPUT_TOKENS,
      // Random weights can give an empty answer; that is the model's failure, not the demo's.
      retry_on_failure: true,
      retry_limit: 3,
    },
    agents: {
      [SCRIPTED_CHILD]: {
        max_turns: 16,
        max_output_tokens: OUTPUT_TOKENS,
        max_result_chars: RESULT_CHARS,
        retry_on_failure: true,
        retry_limit: 3,
      },
    },
    providers: { ollama: { type: "ollama", slots: 1, ...(url !== null && { base_url: url }) } },
    store: { durability: "none" },
    log: { level: "warn" },
  });
  return boxOf({ world, config, stop: async () => {} }, async ({ api }) => {
    const [server] = await api.providers();
    const where = server?.simulated === true ? "SIMULATED server" : `Ollama ${server?.version ?? ""}`.trim();
    const voice = scripted ? "scripted parent" : `parent ${parentModel}`;
    return {
      title: `${where} at ${server?.baseUrl ?? ""}, children ${model}, ${voice}`,
      server: where,
      backend: server?.simulated === true ? "simulated" : "ollama",
      followsSteers: false,
      parent: scripted ? "scripted" : "model",
    };
  });
}

interface BoxParts {
  readonly world: World;
  readonly config: Config;
  readonly stop: () => Promise<void>;
}

type Label = Omit<DemoBox, "troupe" | "close">;

async function boxOf(
  { world, config, stop }: BoxParts,
  label: (troupe: { readonly api: TroupeApi }) => Label | Promise<Label>,
): Promise<DemoBox> {
  let troupe: Troupe | null = null;
  const close = async (): Promise<void> => {
    await troupe?.close();
    await stop();
  };
  try {
    troupe = await compose({ world, config });
    return { troupe, ...(await label(troupe)), close };
  } catch (error) {
    await close();
    throw error;
  }
}
