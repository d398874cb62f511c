// A person's own Ollama as the model server of a contender: real generations over HTTP, by the provider that Troupe
// itself uses. Prompts are words without sense, each conversation its own, each turn's prompt continuing the last; how
// many tokens a word is to a model is asked of it before. Loads are counted from `/api/ps`, so that one shorter than a look is missed.
//
// R1. Every run begins with none of its models in memory.
// R2. What the server does not tell is `null` or 0, and never guessed.

import { delay, type Clock } from "../../src/base/clock.ts";
import { LimitError, ProviderError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { textMessage } from "../../src/core/message.ts";
import type { GenerationUsage, Provider } from "../../providers/provider.ts";
import type {
  GenerationCall,
  GenerationFigures,
  LoadedModel,
  ModelServer,
  ServerFacts,
} from "./model-server.ts";

const LOOK_MS = 100;
const WORDS =
  "time year people way day man thing woman life child world school state family student group".split(" ");

export interface RealServerOptions {
  readonly provider: Provider;
  readonly clock: Clock;
  readonly probe: Probe;
}

/** The first `count` words of a text that its name alone decides. */
export function wordsOf(name: string, count: number): string {
  let seed = 2_166_136_261;
  for (let at = 0; at < name.length; at += 1) seed = Math.imul(seed ^ name.charCodeAt(at), 16_777_619);
  const random = seededRandom(seed >>> 0);
  return Array.from(
    { length: Math.max(1, count) },
    () => WORDS[Math.floor(random.next() * WORDS.length)],
  ).join(" ");
}

/** Contract: `ModelServer`'s; it touches no model but those of its facts. */
export class RealServer implements ModelServer {
  readonly facts: ServerFacts;
  readonly #tokensPerWord: ReadonlyMap<string, number>;
  readonly #provider: Provider;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #loads = 0;
  #refused = 0;
  #inFlight = 0;
  #abortedTokens = 0;

  constructor({ provider, clock, probe }: RealServerOptions) {
    this.#provider = provider;
    this.#clock = clock;
    this.facts = probe.facts;
    this.#tokensPerWord = probe.tokensPerWord;
  }

  /** Keeps R1. */
  async warmUp(): Promise<void> {
    for (const { model } of await this.loaded()) await this.unload(model);
    void this.#watch().catch(() => {});
  }

  async generate(call: GenerationCall, signal: AbortSignal): Promise<GenerationFigures> {
    signal.throwIfAborted();
    this.#inFlight += 1;
    let written = 0;
    try {
      for await (const event of this.#provider.generate(this.#request(call), { signal })) {
        if (event.type === "finished") return figuresOf(event.usage);
        if (event.type === "started") continue;
        if (written === 0) call.onFirstToken();
        written += 1;
      }
      throw new ProviderError({ kind: "network", code: "truncated" }, "Expected the stream to finish.");
    } catch (error) {
      if (signal.aborted) this.#abortedTokens += written;
      if (!(error instanceof ProviderError) || error.status !== 503) throw error;
      this.#refused += 1;
      throw new LimitError("busy", error.message);
    } finally {
      this.#inFlight -= 1;
    }
  }

  async load(model: string): Promise<void> {
    const contextTokens = this.facts.models.find(({ name }) => name === model)?.contextTokens;
    const signal = this.#closing.signal;
    await this.#provider.preload(model, { ...(contextTokens !== undefined && { contextTokens }), signal });
  }

  async unload(model: string): Promise<void> {
    await this.#provider.unload(model, { signal: this.#closing.signal });
    while ((await this.loaded()).some((each) => each.model === model)) {
      await delay(this.#clock, LOOK_MS, this.#closing.signal);
    }
  }

  async loaded(): Promise<readonly LoadedModel[]> {
    const found = await this.#provider.loaded(this.#closing.signal);
    return this.facts.models.flatMap(({ name }) => {
      const there = found.find((each) => sameModel(each.name, name));
      return there === undefined ? [] : [{ model: name, vramBytes: there.vramBytes }];
    });
  }

  stats() {
    const [loads, refused, inFlight] = [this.#loads, this.#refused, this.#inFlight];
    return { loads, refused, inFlight, busyMs: null, abortedTokens: this.#abortedTokens };
  }

  close(): void {
    this.#closing.abort(new Error("The run is over."));
  }

  #request({ model, conversation, promptTokens, sharedTokens, outputTokens }: GenerationCall) {
    const contextTokens = this.facts.models.find(({ name }) => name === model)?.contextTokens;
    const words = (tokens: number): number => Math.floor(tokens / (this.#tokensPerWord.get(model) ?? 1));
    const shared = sharedTokens > 0 ? [wordsOf(`every prompt for ${model}`, words(sharedTokens))] : [];
    const text = [...shared, wordsOf(conversation, words(promptTokens - sharedTokens))].join(" ");
    return {
      model,
      messages: [textMessage("user", "goal", text)],
      tools: [],
      maxOutputTokens: outputTokens,
      ...(contextTokens !== undefined && { contextTokens }),
    };
  }

  /** Counts every coming of a model, until the run is over. */
  async #watch(): Promise<void> {
    let before = new Set<string>();
    for (;;) {
      const now = new Set((await this.loaded()).map(({ model }) => model));
      for (const model of now) if (!before.has(model)) this.#loads += 1;
      before = now;
      await delay(this.#clock, LOOK_MS, this.#closing.signal);
    }
  }
}

/**
 * Loads the models one after the other and looks who stays: how large each is, and whether all fit beside each other.
 * Contract: rejects with what the server says of a model that it does not have.
 */
export async function probeServer(provider: Provider, options: ProbeOptions): Promise<Probe> {
  const { models, np, contextTokens, coldPrefillTokensPerS } = options;
  const signal = new AbortController().signal;
  const bytes = new Map<string, number>();
  const tokensPerWord = new Map<string, number>();
  for (const model of models) {
    await provider.preload(model, { contextTokens, signal });
    tokensPerWord.set(model, await tokensOfAWord(provider, { model, contextTokens }));
    for (const each of await provider.loaded(signal)) {
      const name = models.find((known) => sameModel(each.name, known));
      if (name !== undefined) bytes.set(name, Math.max(each.sizeBytes, 1));
    }
  }
  const stayed = (await provider.loaded(signal)).flatMap(({ name }) =>
    models.filter((each) => sameModel(name, each)),
  );
  const sum = (names: readonly string[]): number =>
    names.reduce((total, name) => total + (bytes.get(name) ?? 0), 0);
  // Only who fits beside whom is asked of it: room for all where all stayed, and for those that stayed where not.
  const vramBytes = stayed.length === models.length ? 2 * sum(models) : sum(stayed);
  const ofModels = models.map((name) => ({
    name,
    np,
    bytes: bytes.get(name) ?? 1,
    contextTokens,
    coldPrefillTokensPerS,
  }));
  return { facts: { serversFromMs: [0], vramBytes, models: ofModels }, tokensPerWord };
}

/** From the count that the server gives for a known number of words; what its template adds is in it. */
async function tokensOfAWord(
  provider: Provider,
  { model, contextTokens }: { readonly model: string; readonly contextTokens: number },
): Promise<number> {
  const count = Math.min(100, Math.floor(contextTokens / 16));
  const messages = [textMessage("user", "goal", wordsOf(model, count))];
  const request = { model, messages, tools: [], maxOutputTokens: 1, contextTokens };
  for await (const event of provider.generate(request, { signal: new AbortController().signal })) {
    if (event.type === "finished") return Math.max(1, event.usage.promptTokens / count);
  }
  return 1;
}

/** What a person's server is like, as far as it can be asked. */
export interface Probe {
  readonly facts: ServerFacts;
  readonly tokensPerWord: ReadonlyMap<string, number>;
}

export interface ProbeOptions {
  readonly models: readonly string[];
  /** OLLAMA_NUM_PARALLEL of the server, which no API tells. */
  readonly np: number;
  readonly contextTokens: number;
  readonly coldPrefillTokensPerS: number;
}

/** The wait for a slot is what of the whole is nothing else (scheduling.md, fact 17). */
function figuresOf(usage: GenerationUsage): GenerationFigures {
  const { totalMs, loadMs, promptMs, outputMs, promptTokens, outputTokens } = usage;
  const waitMs = Math.max(0, totalMs - loadMs - promptMs - outputMs);
  return { totalMs, loadMs, waitMs, promptMs, outputMs, promptTokens, cachedTokens: null, outputTokens };
}

function sameModel(a: string, b: string): boolean {
  const tagged = (name: string): string => (name.includes(":") ? name : `${name}:latest`);
  return tagged(a) === tagged(b);
}
