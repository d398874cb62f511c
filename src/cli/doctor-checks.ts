// What doctor says of what was found: pure functions from facts to lines, each ok, a warning or a problem, and how to
// mend it. A problem is what keeps a server from starting or from answering.

import type { TroupeError } from "../base/errors.ts";
import type { Discovery, DiscoveredModel } from "../config/discovery.ts";
import type { Problem } from "../config/problem.ts";
import type { ProviderPlan } from "../config/plan.ts";
import { refusedKeyLines } from "../config/server-lines.ts";
import type { GpuAnswer } from "./gpu-probe.ts";
import { RUNTIMES, supportOf } from "./support.ts";
import type { Terminal } from "./terminal.ts";

export interface Check {
  readonly about: string;
  readonly level: "ok" | "warn" | "problem";
  readonly text: string;
  /** What to do; `null` where nothing needs doing, or the text says it. */
  readonly mend: string | null;
}

/** A model in the memory of a server. */
export interface LoadedOn {
  readonly provider: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly vramBytes: number;
  readonly contextTokens: number | null;
}

const OLDEST_NODE = [22, 18] as const;

/** What is as it should be. */
export function ok(about: string, text: string, mend: string | null = null): Check {
  return { about, level: "ok", text, mend };
}

const MIB = 1_048_576;
const GIB = 1_073_741_824;

/** `12 MiB`, `3.4 GiB`. */
export function size(bytes: number): string {
  return bytes < GIB / 10 ? `${Math.ceil(bytes / MIB)} MiB` : `${(bytes / GIB).toFixed(1)} GiB`;
}

export function runtimeChecks({
  runtime,
  platform,
}: Pick<Terminal, "runtime" | "platform">): readonly Check[] {
  const [major = 0, minor = 0] = runtime.version.split(".").map(Number);
  const [oldMajor, oldMinor] = OLDEST_NODE;
  const isOld = runtime.name === "Node.js" && (major < oldMajor || (major === oldMajor && minor < oldMinor));
  const row = supportOf(platform);
  const support = row?.support ?? "untested";
  return [
    isOld
      ? {
          about: "runtime",
          level: "problem",
          text: `${runtime.name} ${runtime.version}`,
          mend: `Install ${RUNTIMES}.`,
        }
      : ok("runtime", `${runtime.name} ${runtime.version}`),
    support === "whole"
      ? ok("platform", row?.name ?? platform)
      : { about: "platform", level: "warn", text: `${row?.name ?? platform}: ${support}`, mend: null },
  ];
}

/** `error` is why the config could not be loaded. */
export function configChecks(
  file: string | null,
  error: TroupeError | null,
  program: string,
): readonly Check[] {
  if (error === null) {
    return file === null
      ? [ok("config", "none: everything has its default", `${program} init writes one from what it finds`)]
      : [ok("config", file)];
  }
  const { problems, file: broken } = error.details;
  if (!Array.isArray(problems))
    return [{ about: "config", level: "problem", text: error.message, mend: null }];
  return (problems as readonly Problem[]).map(({ line, column, message }) => {
    const place = line === null ? "" : `:${line}:${column ?? 1}`;
    return { about: "config", level: "problem", text: `${String(broken)}${place}: ${message}`, mend: null };
  });
}

export function tokenCheck(facts: {
  readonly path: string;
  readonly exists: boolean;
  readonly unwritable: string | null;
}): Check {
  if (facts.exists) return ok("token", `${facts.path}, readable by its owner only`);
  if (facts.unwritable === null)
    return ok("token", `none yet: the server makes ${facts.path} when it starts`);
  return {
    about: "token",
    level: "problem",
    text: `${facts.path} cannot be made (${facts.unwritable})`,
    mend: "Make that folder writable, or point TROUPE_HOME to one that is.",
  };
}

function loadedCheck(model: LoadedOn, hasGpus: boolean): Check {
  const share = model.sizeBytes === 0 ? 0 : Math.round((100 * model.vramBytes) / model.sizeBytes);
  const context = model.contextTokens === null ? "" : `, context ${model.contextTokens}`;
  const text = `${model.provider} has ${model.name} loaded: ${size(model.sizeBytes)}, ${share} % on the GPU${context}`;
  if (share >= 100) return ok("gpu", text);
  const mend =
    share === 0 && !hasGpus
      ? "It runs on the CPU. If there is a GPU, look at its driver and at the model server's log."
      : "It does not fit: choose a smaller model, or lower providers.NAME.num_ctx.";
  return { about: "gpu", level: "warn", text, mend };
}

/** The cards that `nvidia-smi` names, else what the servers say of the models that they have loaded. */
export function gpuChecks({ gpus, problem }: GpuAnswer, loaded: readonly LoadedOn[]): readonly Check[] {
  const cards = gpus.map((gpu) => {
    const memory = gpu.memoryBytes === null ? "memory unknown" : size(gpu.memoryBytes);
    const used = gpu.usedBytes === null ? "" : `, ${size(gpu.usedBytes)} in use`;
    return ok("gpu", `GPU ${gpu.index}: ${gpu.name}, ${memory}${used}, driver ${gpu.driver}`);
  });
  const models = loaded.map((model) => loadedCheck(model, gpus.length > 0));
  if (cards.length > 0 || models.length > 0) return [...cards, ...models];
  const text = `no GPU seen (${problem ?? "nvidia-smi names none"}), and no model is loaded that would show one`;
  const mend =
    "Without a GPU, small models run on the CPU. To see what yours does: ollama run MODEL hello, then doctor.";
  return [{ about: "gpu", level: "warn", text, mend }];
}

function modelText(model: DiscoveredModel): string {
  const facts = [
    model.sizeBytes === null ? null : size(model.sizeBytes),
    model.parameters,
    model.embeddingOnly
      ? "embeddings only"
      : model.tools
        ? "tools"
        : "no tools: for leaves without tools only",
    model.thinking ? "thinking" : null,
    model.contextTokens === null ? null : `context ${model.contextTokens}`,
  ];
  return `${model.name}: ${facts.filter((fact) => fact !== null).join(", ")}`;
}

/** Each server of the config: whether it answers, and what its models can do. */
export function providerChecks(plans: readonly ProviderPlan[], discovery: Discovery): readonly Check[] {
  return plans.flatMap((plan): readonly Check[] => {
    const found = discovery.providers[plan.name];
    const keys = refusedKeyLines(plan, found).map((text): Check => {
      const mend = "Put another key in its place, or take it out of api_keys; meanwhile the others are used.";
      return { about: "key", level: "warn", text, mend };
    });
    if (found?.reachable !== true) {
      const text = found?.problem ?? `Nothing answers at ${plan.baseUrl}.`;
      const mend = found?.type === "ollama" ? "ollama serve, then: ollama pull qwen3:8b" : null;
      return [{ about: plan.name, level: "problem", text, mend }, ...keys];
    }
    const version = found.version === null ? "" : ` ${found.version}`;
    const simulated = found.simulated ? ", simulated" : "";
    const head = ok(plan.name, `${found.type}${version} at ${plan.baseUrl}${simulated}`);
    if (found.models.length === 0) {
      return [
        head,
        ...keys,
        { about: "model", level: "problem", text: `${plan.name} has no model`, mend: "ollama pull qwen3:8b" },
      ];
    }
    return [head, ...keys, ...found.models.map((model) => ok("model", modelText(model)))];
  });
}

/** The models that a server would choose, or why it could not. */
export function choiceChecks(why: readonly string[], error: TroupeError | null): readonly Check[] {
  // A server that does not answer was told of already.
  if (error !== null && error.code === "provider_unreachable") return [];
  if (error !== null) return [{ about: "choice", level: "problem", text: error.message, mend: null }];
  return why.flatMap((line): readonly Check[] => {
    if (line.startsWith("warning: ")) {
      return [{ about: "choice", level: "warn", text: line.slice("warning: ".length), mend: null }];
    }
    return /^(parent|children): /.test(line) ? [ok("choice", line)] : [];
  });
}

export function serverCheck(url: string, answer: "troupe" | "other" | "none", program: string): Check {
  if (answer === "troupe") return ok("server", `a Troupe server answers at ${url}`);
  if (answer === "none")
    return ok("server", `none runs at ${url}`, `npm start (or: ${program} serve) starts it`);
  const text = `something else answers at ${url}`;
  return { about: "server", level: "warn", text, mend: "Stop it, or set server.port to another one." };
}
