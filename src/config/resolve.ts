// Config and discovery to Settings, with the lines that say at start-up which model runs where and why. Pure: it
// reads no file, asks no server and sees no secret.

import { runsElsewhere } from "../core/load-profile.ts";
import { join, resolve } from "node:path";
import { ConfigError } from "../base/errors.ts";
import type { CapabilitySettings } from "../core/capabilities.ts";
import type { Config } from "../core/config-schema.ts";
import { isLoopback } from "../core/endpoint.ts";
import { AGENTS_WARNING } from "../core/limits.ts";
import type { ModelSettings, Settings } from "../core/settings.ts";
import { childAgent, defaultLimits, sessionAgent } from "./agents.ts";
import { makeBackends } from "./backends.ts";
import { DELEGATION_PROVIDER } from "./checks.ts";
import { chooseChild, chooseParent } from "./choose.ts";
import type { Candidate, Choice } from "./choose.ts";
import type { Discovery } from "./discovery.ts";
import type { Environment } from "./load.ts";
import { ModelBook } from "./model-book.ts";
import { contextWarnings, findModel, isLocal, modelName } from "./models.ts";
import { planProviders } from "./plan.ts";
import type { ProviderPlan, ProviderPlans } from "./plan.ts";
import { serverLines, startAdvice } from "./server-lines.ts";
import { agentsOf, pinAliases, pinRoute, routeWarnings, routingOf, type KeyedRoute } from "./routes.ts";
import { worktreeFolderOf } from "./worktree-folder.ts";

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
  /** The user that this process acts as; nobody special when absent. */
  readonly uid?: number | null;
}

export interface Resolved {
  readonly settings: Settings;
  /** A start-up line for each server; those that begin with `warning: ` do not answer. */
  readonly servers: readonly string[];
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
    .filter(({ ref }) => local.includes(ref.provider) && !runsElsewhere(ref.model))
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
    const waiting = `Or name a model in the config (model: ${down.name}/${SUGGESTED_MODEL}): then Troupe starts, and waits for it`;
    const message = `${advice} Then type: ollama pull ${SUGGESTED_MODEL}. ${waiting}. ${demo}`;
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

/** Without walls nothing keeps a command from the network. Contract: pure. */
export function capabilitySettings({ tools: { grants, terminal } }: Config): CapabilitySettings {
  return { grants, terminalNetwork: terminal.network || terminal.unsafe };
}

/** What is shouted wherever people look. */
export const UNSAFE_TERMINAL =
  "tools.terminal.unsafe: commands of models run on this machine WITHOUT A SANDBOX, with everything that the server may do";

interface Picked {
  readonly model: ModelSettings;
  /** All that may serve, the model itself first. */
  readonly route: readonly ModelSettings[];
  readonly why: string;
}

/** What nobody named has no route. */
function chosen(book: ModelBook, { name, why }: Choice): Picked {
  const model = findModel(book.models, name) as ModelSettings;
  return { model, route: [model], why };
}

function named(route: readonly ModelSettings[], key: string): Picked {
  const [model, ...rest] = route as readonly [ModelSettings, ...ModelSettings[]];
  const then = rest.length === 0 ? "" : `, then ${rest.map(modelName).join(", ")}`;
  return { model, route, why: `named by ${key}${then}` };
}

/** Children that run where the parent does have no route of their own to speak of. */
function routesOf(parent: Picked, child: Picked): readonly KeyedRoute[] {
  const own: readonly KeyedRoute[] = [["model", parent.route]];
  return child.route === parent.route ? own : [...own, ["delegation.route", child.route]];
}

function pickParent(input: ResolveInput, plans: readonly ProviderPlan[], book: ModelBook): Picked {
  const name = input.config.model;
  if (name !== undefined) {
    const route = { key: "model", names: [name], provider: null };
    return named(pinRoute(route, book, input.config), "model");
  }
  // The server that delegation.base_url names is the children's; the parent goes there only if nothing else is.
  const others = plans.filter((plan) => plan.name !== DELEGATION_PROVIDER);
  const choose = (from: readonly ProviderPlan[]) =>
    chooseParent(candidatesOf(book, from, input.discovery), input.discovery.vramBytes);
  const choice = choose(others) ?? choose(plans);
  if (choice === null) throw nothingToRun(plans, input, book);
  return chosen(book, choice);
}

interface ChildQuestion {
  readonly input: ResolveInput;
  readonly planned: ProviderPlans;
  readonly book: ModelBook;
  readonly parent: Picked;
}

function pickChild({ input, planned, book, parent }: ChildQuestion): Picked {
  const { config, discovery } = input;
  const { model: name, route } = config.delegation;
  const provider = planned.childProvider;
  if (route !== undefined) {
    const asked = { key: "delegation.route", names: route, provider: null };
    return named(pinRoute(asked, book, config), "delegation.route");
  }
  if (name !== undefined) {
    // An alias says itself where its models are.
    const scope = Object.hasOwn(config.models, name) ? null : provider;
    const asked = { key: "delegation.model", names: [name], provider: scope };
    return named(pinRoute(asked, book, config), "delegation.model");
  }
  if (provider !== null && provider !== parent.model.ref.provider) {
    const own = planned.plans.filter((plan) => plan.name === provider);
    const choice = chooseParent(candidatesOf(book, own, discovery), discovery.vramBytes);
    if (choice !== null) return chosen(book, choice);
    const lack =
      discovery.providers[provider]?.reachable === true
        ? "has no model to choose by itself"
        : "does not answer";
    const message = `Children run on ${provider}, which ${lack}. Set delegation.model.`;
    throw new ConfigError("no_model", message, { details: { config_key: "delegation.model" } });
  }
  const { model, route: inherited } = parent;
  if (config.model !== undefined)
    return { model, route: inherited, why: "the parent's: delegation.model is not set" };
  const candidates = candidatesOf(book, planned.plans, discovery).filter((candidate) =>
    candidate.name.startsWith(`${model.ref.provider}/`),
  );
  const self = candidates.find((candidate) => candidate.name === modelName(model)) as Candidate;
  return chosen(book, chooseChild(self, candidates, discovery.vramBytes));
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
    const sends = [plan, ...plan.moreKeys].some(({ apiKey }) => apiKey !== null && apiKey !== "none");
    if (!sends || isLoopback(plan.baseUrl)) continue;
    if (plan.baseUrl.startsWith("http:")) {
      lines.push(`${plan.name} sends its key unencrypted to ${plan.baseUrl}; use https`);
    }
  }
  return lines.map((line) => `warning: ${line}`);
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
 * Contract: throws ConfigError `no_model` or `model_missing`, or `provider_unreachable` where no model is named and none
 * is known; each with what to type.
 */
export function resolveSettings(input: ResolveInput): Resolved {
  const { config, discovery, env } = input;
  const planned = planProviders(config, env);
  const backends = makeBackends(planned.plans, config, discovery);
  const book = new ModelBook(planned.plans, discovery, backends);
  const parent = pickParent(input, planned.plans, book);
  const child = pickChild({ input, planned, book, parent });
  const { agents, routes } = agentsOf(config, book);
  const aliases = pinAliases(config, book);
  const settings: Settings = {
    version: input.version,
    boxId: input.boxId,
    simulated: Object.values(discovery.providers).some((provider) => provider.simulated),
    workspaceRoot: workspaceOf(input),
    ...worktreeFolderOf({ ...input, uid: input.uid ?? null }),
    link: input.link,
    backends,
    models: book.models,
    parentModel: parent.model.ref,
    childModel: child.model.ref,
    sessionAgent: sessionAgent(config, parent.route.map(modelName)),
    childAgent: childAgent(config, child.route.map(modelName)),
    agents,
    delegation: {
      maxConcurrentChildren: config.delegation.max_concurrent_children,
      maxSpawnDepth: config.delegation.max_spawn_depth,
      onInterrupt: config.delegation.on_interrupt,
      defaultToolsets: config.delegation.default_toolsets,
    },
    capabilities: capabilitySettings(config),
    ...(config.tools.terminal.unsafe && { unsafe: [UNSAFE_TERMINAL] }),
    routing: routingOf(config, aliases),
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
    ...planned.why,
    `parent: ${modelName(parent.model)}, ${parent.why}`,
    `children: ${modelName(child.model)}, ${child.why}`,
    ...book.warnings,
    ...contextWarnings(planned.plans, discovery.providers),
    ...warningsOf(input, planned.plans, parent.model),
    ...routeWarnings([...routesOf(parent, child), ...routes], {
      fallback: config.routing.fallback,
      backends,
    }),
  ];
  return { settings, servers: serverLines(planned.plans, discovery), why };
}
