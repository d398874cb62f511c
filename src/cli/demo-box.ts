// The box that the demo runs on: a simulated one that is started here, or an Ollama that somebody runs. One generation
// at a time on either, so that waiting can be seen and no figure depends on luck.
//
// B1. While the parent's model writes, no child does: between a person's message and the call that it leads to, the
//     children take no more than the turn they are in. That is why a steer always finds its task alive.

import { fileURLToPath } from "node:url";
import { ConfigError } from "../base/errors.ts";
import { seededRandom } from "../base/ids.ts";
import { serve } from "../base/listen.ts";
import { compose, type Troupe, type World } from "../compose.ts";
import type { TaskApi, TroupeApi } from "../core/api.ts";
import { configSchema, type Config } from "../core/config-schema.ts";
import { DEFAULT_MODELS } from "../simulator/config.ts";
import { createSimulator } from "../simulator/simulator.ts";
import type { DemoBackend } from "./demo-options.ts";
import type { DemoServer } from "./demo-server.ts";

/** What the demo plays on, wherever the Troupe runs. */
export interface DemoBox {
  /** The person's. */
  readonly api: TroupeApi;
  /** The API as the session's own tools have it, for a scripted parent. */
  asParent(sessionId: string): TaskApi;
  readonly models: { readonly parent: string; readonly children: string };
  readonly patienceMs: number;
  /** What stands above everything that is shown. */
  readonly title: string;
  /** The same in a word or two, beside the slot. */
  readonly server: string;
  readonly backend: "simulated" | "ollama";
  /** Its children are known to follow a steer; what a model makes of one is its own affair. */
  readonly followsSteers: boolean;
  /** Who delegates: rules of the simulator, a model, or this program over the API. */
  readonly parent: "simulated" | "model" | "scripted";
  /** The process that Troupe runs in, where it is another than this one. */
  readonly ownServer: DemoServer | null;
  close(): Promise<void>;
}

/** A box whose Troupe runs in this process. */
export interface ComposedBox extends DemoBox {
  readonly troupe: Troupe;
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
export const WORKSPACE = fileURLToPath(new URL("../../", import.meta.url)).replace(/[/\\]$/, "");

/** Contract: throws ConfigError for a model or a server that is not there. The caller closes it. */
export function startDemoBox(options: DemoBoxOptions): Promise<ComposedBox> {
  const { backend } = options;
  return backend.kind === "simulated" ? simulatedBox(options) : ollamaBox(options, backend);
}

export interface RunningModels {
  readonly url: string;
  close(): Promise<void>;
}

/** The simulated model server alone: one slot, on this machine. The caller closes it. */
export async function startModels({ clock }: Pick<World, "clock">, speed: number): Promise<RunningModels> {
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
  return {
    url: listening.url,
    close: async () => {
      await listening.close();
      simulator.close();
    },
  };
}

export const SIMULATED_MODELS = { parent: "sim-orchestrator", children: "sim-worker" } as const;

/** A config for the simulated model server at `url`, as it is written in a file. */
export function simulatedConfig(url: string) {
  return {
    workspace: WORKSPACE,
    model: SIMULATED_MODELS.parent,
    delegation: { model: SIMULATED_MODELS.children },
    providers: { [SIMULATED]: { type: "ollama", base_url: url, slots: 1 } },
    log: { level: "warn" },
  };
}

/** What a simulated box says of itself, but for its title. */
export const SIMULATED_LABEL = {
  server: "simulated GPU",
  backend: "simulated",
  followsSteers: true,
  parent: "simulated",
} as const;

async function simulatedBox({ world, speed }: DemoBoxOptions): Promise<ComposedBox> {
  const models = await startModels(world, speed);
  const config = configSchema.parse({ ...simulatedConfig(models.url), store: { durability: "none" } });
  return boxOf({ world, config, stop: () => models.close() }, () => ({
    title: "SIMULATED GPU box with one slot: rules, no models; real files",
    ...SIMULATED_LABEL,
  }));
}

function ollamaBox(
  { world }: DemoBoxOptions,
  backend: DemoBackend & { readonly kind: "ollama" },
): Promise<ComposedBox> {
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
    // A server would wait for its models; a person who watches a demo would wait for nothing.
    if (server?.reachable === false) {
      throw new ConfigError(
        "provider_unreachable",
        server.problem ?? `Nothing answers at ${server.baseUrl}.`,
      );
    }
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

type Label = Pick<DemoBox, "title" | "server" | "backend" | "followsSteers" | "parent">;

async function boxOf(
  { world, config, stop }: BoxParts,
  label: (troupe: { readonly api: TroupeApi }) => Label | Promise<Label>,
): Promise<ComposedBox> {
  let troupe: Troupe | null = null;
  const close = async (): Promise<void> => {
    await troupe?.close();
    await stop();
  };
  try {
    troupe = await compose({ world, config });
    const { api, runtime, settings } = troupe;
    return {
      troupe,
      api,
      asParent: (taskId) => runtime.as({ name: "scripted parent", scopes: ["read", "control"], taskId }),
      models: { parent: settings.parentModel.model, children: settings.childModel.model },
      patienceMs: settings.interactivePatienceMs,
      ...(await label(troupe)),
      ownServer: null,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
