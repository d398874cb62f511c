// Config and discovery to Settings, with the lines that say at start-up which model runs where and why. Pure: it
// reads no file, asks no server and sees no secret.

import { join, resolve } from "node:path";
import { ConfigError } from "../base/errors.ts";
import type { Config } from "../core/config-schema.ts";
import { isLoopback } from "../core/endpoint.ts";
import { AGENTS_WARNING } from "../core/limits.ts";
import type { ModelSettings, Settings } from "../core/settings.ts";
import { childAgent, defaultLimits, namedAgent, sessionAgent } from "./agents.ts";
import { makeBackends } from "./backends.ts";
import { DELEGATION_PROVIDER } from "./checks.ts";
import { chooseChild, chooseParent } from "./choose.ts";
import type { Candidate } from "./choose.ts";
import type { Discovery } from "./discovery.ts";
import type { Environment } from "./load.ts";
import { ModelBook, startAdvice } from "./model-book.ts";
import { findModel, isLocal, modelName } from "./models.ts";
import { planProviders } from "./plan.ts";
import type { ProviderPlan, ProviderPlans } from "./plan.ts";

/** A model that is small, can call tools, and is what the advice names. */
const SUGGESTED_MODEL = "qwen3:8b";

export interface ResolveInput {
  readonly config: Config;
  readonly discovery: Discovery;
  readonly env: Environment;
  /** What a relative workspace is relative to. */
  readonly baseDir: string;
  readonly version: string;
  readonly boxId: string;
  /** Where a person can watch; `null` when nothing serves. */
  readonly link: string | null;
}

export interface Resolved {
  readonly settings: Settings;
  /** Start-up lines for people; those that begin with `warning: ` ask for attention. */
  readonly why: readonly string[];
}

function candidatesOf(
  book: ModelBook,
  plans: readonly ProviderPlan[],
  discovery: Discovery,
): readonly Candidate[] {
  const local = plans
    .filter((plan) => isLocal(plan, discovery.providers[plan.name]))
    .map((plan) => plan.name);
  const sizes = new Map<string, number | null>();
  for (const plan of plans) {
    for (const model of discovery.providers[plan.name]?.models ?? []) {
      sizes.set(`${plan.name}/${model.name}`, model.sizeBytes);
    }
  }
  // Nobody is charged for a model that he did not name: only local ones are chosen by themselves.
  return book.models
    .filter(({ ref }) => local.includes(ref.provider))
    .map((model) => ({
      name: modelName(model),
      sizeBytes: sizes.get(modelName(model)) ?? null,
      tools: model.tools,
    }));
}

/** Why nothing can be chosen, and exactly what to type. */
function nothingToRun(plans: readonly ProviderPlan[], input: ResolveInput, book: ModelBook): ConfigError {
  const demo = "Or try Troupe without any model: npm run demo";
  const reachable = plans.filter((plan) => input.discovery.providers[plan.name]?.reachable === true);
  const down = plans.find((plan) => !reachable.includes(plan));
  if (reachable.length === 0 && down !== undefined) {
    const advice = startAdvice(down, input.discovery.providers[down.name]?.problem ?? null);
    const message = `${advice} Then type: ollama pull ${SUGGESTED_MODEL}. ${demo}`;
    return new ConfigError("provider_unreachable", message);
  }
  const names = [...new Set(book.models.map(modelName))];
  const has =
    names.length === 0 ? "no model is installed" : `there are only: ${names.slice(0, 20).join(", ")}`;
  const pick = names.length === 0 ? "" : " Or name one in the config (model: provider/model).";
  return new ConfigError(
    "no_model",
    `Expected an installed model that can call tools, but ${has}. Type: ollama pull ${SUGGESTED_MODEL}.${pick} ${demo}`,
  );
}

interface Picked {
  readonly model: ModelSettings;
  readonly why: string;
}

function pickParent(input: ResolveInput, plans: readonly ProviderPlan[], book: ModelBook): Picked {
  const name = input.config.model;
  if (name !== undefined) {
    return {
      model: book.pin({ name, key: "model", provider: null, mustAnswer: true }),
      why: "named by model",
    };
  }
  // The server that delegation.base_url names is the children's; the parent goes there only if nothing else is.
  const others = plans.filter((plan) => plan.name !== DELEGATION_PROVIDER);
  const choose = (from: readonly ProviderPlan[]) =>
    chooseParent(candidatesOf(book, from, input.discovery), input.discovery.vramBytes);
  const choice = choose(others) ?? choose(plans);
  if (choice === null) throw nothingToRun(plans, input, book);
  return { model: findModel(book.models, choice.name) as ModelSettings, why: choice.why };
}

interface ChildQuestion {
  readonly input: ResolveInput;
  readonly planned: ProviderPlans;
  readonly book: ModelBook;
  readonly parent: ModelSettings;
}

function pickChild({ input, planned, book, parent }: ChildQuestion): Picked {
  const { config, discovery } = input;
  const name = config.delegation.model;
  const provider = planned.childProvider;
  if (name !== undefined) {
    const model = book.pin({ name, key: "delegation.model", provider, mustAnswer: false });
    return { model, why: "named by delegation.model" };
  }
  if (provider !== null && provider !== parent.ref.provider) {
    const own = planned.plans.filter((plan) => plan.name === provider);
    const choice = chooseParent(candidatesOf(book, own, discovery), discovery.vramBytes);
    if (choice !== null)
      return { model: findModel(book.models, choice.name) as ModelSettings, why: choice.why };
    const message = `Children run on ${provider}, which has no model to choose by itself. Set delegation.model.`;
    throw new ConfigError("no_model", message, { details: { config_key: "delegation.model" } });
  }
  if (config.model !== undefined) return { model: parent, why: "the parent's: delegation.model is not set" };
  const candidates = candidatesOf(book, planned.plans, discovery).filter((candidate) =>
    candidate.name.startsWith(`${parent.ref.provider}/`),
  );
  const self = candidates.find((candidate) => candidate.name === modelName(parent)) as Candidate;
  const choice = chooseChild(self, candidates, discovery.vramBytes);
  return { model: findModel(book.models, choice.name) as ModelSettings, why: choice.why };
}

/** What deserves a person's attention although it is allowed. */
function warningsOf(
  input: ResolveInput,
  plans: readonly ProviderPlan[],
  parent: ModelSettings,
): readonly string[] {
  const { max_concurrent_children: width, max_spawn_depth: depth } = input.config.delegation;
  const lines: string[] = [];
  const agents = width ** depth;
  if (agents > AGENTS_WARNING) {
    const many = Number.isSafeInteger(agents) ? String(agents) : "more than a computer can count";
    const keys = `delegation.max_concurrent_children: ${width} and max_spawn_depth: ${depth}`;
    lines.push(
      `${keys} allow ${many} agents at work at once under one session; above ${AGENTS_WARNING} expect long queues`,
    );
  }
  if (!parent.tools)
    lines.push(`${modelName(parent)} cannot call tools, so its sessions cannot delegate by themselves`);
  for (const plan of plans) {
    if (plan.apiKey === null || plan.apiKey === "none" || isLoopback(plan.baseUrl)) continue;
    if (plan.baseUrl.startsWith("http:")) {
      lines.push(`${plan.name} sends its key unencrypted to ${plan.baseUrl}; use https`);
    }
  }
  return lines.map((line) => `warning: ${line}`);
}

function serverLines(plans: readonly ProviderPlan[], discovery: Discovery): readonly string[] {
  return plans.map((plan) => {
    const found = discovery.providers[plan.name];
    const key = plan.apiKey?.startsWith("env:") === true ? `, with the key in ${plan.apiKey}` : "";
    if (found?.reachable !== true) {
      return `${plan.name}: no answer at ${plan.baseUrl}${found?.problem ? ` (${found.problem})` : ""}`;
    }
    const what = `${found.type}${found.version === null ? "" : ` ${found.version}`}${found.simulated ? ", simulated" : ""}`;
    return `${plan.name}: ${what} at ${plan.baseUrl}, ${found.models.length} models${key}`;
  });
}

function workspaceOf({ config, env, baseDir }: ResolveInput): string {
  const written = config.workspace;
  if (written !== "~" && !written.startsWith("~/")) return resolve(baseDir, written);
  const home = env["HOME"] ?? env["USERPROFILE"];
  if (home) return join(home, written.slice(1));
  throw new ConfigError("no_home", `workspace is ${written}, but HOME is not set. Write the folder out.`);
}

/**
 * The settings that the runtime stands on.
 * Contract: throws ConfigError `provider_unreachable`, `no_model` or `model_missing`, each with what to type.
 */
export function resolveSettings(input: ResolveInput): Resolved {
  const { config, discovery, env } = input;
  const planned = planProviders(config, env);
  const backends = makeBackends(planned.plans, config, discovery);
  const book = new ModelBook(planned.plans, discovery, backends);
  const parent = pickParent(input, planned.plans, book);
  const child = pickChild({ input, planned, book, parent: parent.model });
  const agents = Object.entries(config.agents).map(([name, agent]) => {
    if (agent.model === undefined) return namedAgent(name, agent, null);
    const key = `agents.${name}.model`;
    return namedAgent(
      name,
      agent,
      modelName(book.pin({ name: agent.model, key, provider: null, mustAnswer: false })),
    );
  });
  const settings: Settings = {
    version: input.version,
    boxId: input.boxId,
    simulated: Object.values(discovery.providers).some((provider) => provider.simulated),
    workspaceRoot: workspaceOf(input),
    link: input.link,
    backends,
    models: book.models,
    parentModel: parent.model.ref,
    childModel: child.model.ref,
    sessionAgent: sessionAgent(config),
    childAgent: childAgent(config),
    agents,
    delegation: {
      maxConcurrentChildren: config.delegation.max_concurrent_children,
      maxSpawnDepth: config.delegation.max_spawn_depth,
      onInterrupt: config.delegation.on_interrupt,
      defaultToolsets: config.delegation.default_toolsets,
    },
    limits: defaultLimits(config),
    budget: {
      tokens: config.budget.tokens,
      costMicros: config.budget.cost_micros,
      gpuMs: config.budget.gpu_ms,
      toolCalls: config.budget.tool_calls,
    },
    interactivePatienceMs: config.scheduler.interactive_patience_s * 1000,
    maxQueued: config.scheduler.max_queued,
    cancelDeadlineMs: config.delegation.cancel_deadline_s * 1000,
    restartIntensity: {
      failures: config.delegation.restart_intensity.failures,
      periodMs: config.delegation.restart_intensity.period_s * 1000,
    },
  };
  const why = [
    ...serverLines(planned.plans, discovery),
    ...planned.why,
    `parent: ${modelName(parent.model)}, ${parent.why}`,
    `children: ${modelName(child.model)}, ${child.why}`,
    ...book.warnings,
    ...warningsOf(input, planned.plans, parent.model),
  ];
  return { settings, why };
}
