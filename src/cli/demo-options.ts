// The flags of `troupe demo`, read strictly. It decides which box the demo runs on, and starts nothing.

import type { CommandSpec } from "./command.ts";
import { parseFlags, usageError, type FlagSpec } from "./flags.ts";

export type DemoBackend =
  | {
      readonly kind: "simulated";
      /** Whether Troupe is a process of its own, which is killed on the way. */
      readonly crash: boolean;
    }
  | {
      readonly kind: "ollama";
      /** The children's model, and the voice of the session where the parent is scripted. */
      readonly model: string;
      /** A model that delegates by itself; `null` scripts the parent over the API. */
      readonly parentModel: string | null;
      /** `null` takes `OLLAMA_HOST`, else 127.0.0.1:11434. */
      readonly url: string | null;
    };

export interface DemoOptions {
  readonly backend: DemoBackend;
  readonly json: boolean;
  readonly help: boolean;
}

const FLAGS: readonly FlagSpec[] = [
  { name: "crash", help: "a kill -9 in the middle: the server starts again, and nothing is lost" },
  { name: "ollama", help: "children on a real Ollama, instead of the simulated box" },
  { name: "model", value: "NAME", help: "with --ollama: the children's model" },
  {
    name: "parent-model",
    value: "NAME",
    help: "with --ollama: a model that delegates by itself, with tools",
  },
  {
    name: "url",
    value: "URL",
    help: "with --ollama: where it is (default: OLLAMA_HOST, else 127.0.0.1:11434)",
  },
  { name: "json", help: "one JSON document on stdout and nothing else there" },
  { name: "help", short: "h", help: "this text" },
];

/** For the help text alone. */
export const DEMO_HELP: Omit<CommandSpec, "load"> = {
  name: "demo",
  summary: "a conversation with three children on a simulated GPU box; needs nothing",
  usage: "[--json] [--crash] [--ollama --model NAME [--parent-model NAME] [--url URL]]",
  details: [
    "The person is scripted. Without --ollama no model runs: fixed rules stand in for models, on real files.",
    "With --crash, Troupe runs as a server of its own, with its store in a folder that is removed at the end.",
    "Exit code 0 when everything that the demo promises happened, 1 when something did not.",
  ],
  words: { least: 0, most: 0 },
  flags: FLAGS,
};

/** Contract: throws the usage error for flags that are unknown or do not go together. */
export function demoOptions(args: readonly string[]): DemoOptions {
  const { flags, words } = parseFlags(args, FLAGS);
  if (words.length > 0) throw usageError(`Expected no words after demo, got ${JSON.stringify(words[0])}.`);
  const shown = { json: flags.has("json"), help: flags.has("help") };
  if (shown.help || !flags.has("ollama")) {
    const stray = ["model", "parent-model", "url"].find((name) => flags.has(name));
    if (stray !== undefined && !shown.help) {
      throw usageError(`--${stray} goes with --ollama: troupe demo --ollama --model NAME`);
    }
    return { ...shown, backend: { kind: "simulated", crash: flags.has("crash") } };
  }
  if (flags.has("crash"))
    throw usageError("--crash does not go with --ollama: it runs on the simulated box.");
  const model = flags.text("model");
  if (model === undefined) {
    throw usageError(
      "Expected --model NAME after --ollama: which model the children run on (see: ollama list).",
    );
  }
  const parentModel = flags.text("parent-model") ?? null;
  return { ...shown, backend: { kind: "ollama", model, parentModel, url: flags.text("url") ?? null } };
}
