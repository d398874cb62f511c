// Ollama over its native API. The `ollama` package is the client, one object per request, because its own abort ends
// every stream of an object and does nothing before headers; deadlines, aborts, refusals and the checking of lines
// (which it would skip) are the exchange's. `keep_alive` is sent at preload only: on a turn it can undo an eviction.

import { Ollama } from "ollama/browser";
import type { Random } from "../src/base/ids.ts";
import { systemRandom } from "../src/base/ids.ts";
import type { RunnerOptions } from "../src/core/load-profile.ts";
import { Endpoint } from "./endpoint.ts";
import type { ExchangeRules } from "./exchange.ts";
import { Exchange } from "./exchange.ts";
import { explainRefusal } from "./failure.ts";
import { isObject, listOf, objectOf, parseJson, textOf } from "./json.ts";
import {
  chatRequest,
  listedModel,
  loadedModel,
  OllamaDecoder,
  preloadRequest,
  sameModel,
  shownModel,
  unloadRequest,
} from "./ollama-wire.ts";
import type {
  GenerateOptions,
  GenerateRequest,
  LoadedModelInfo,
  ModelInfo,
  Provider,
  ProviderEvent,
  ProviderOptions,
  ServerInfo,
} from "./provider.ts";
import { SIMULATED_HEADER } from "./provider.ts";
import { CallIds } from "./tool-calls.ts";

const HINT =
  "Start Ollama there (`ollama serve`), or set the provider's `base_url` (or OLLAMA_HOST) to where it listens.";

/** Questions about the server need no model; loading and queueing do not excuse them. */
const QUESTION_FIRST_BYTE_MS = 30_000;

/** A provider for one Ollama server. Throws ConfigError for an address or a key that can never work. */
export function ollama(options: ProviderOptions): Provider {
  return new OllamaProvider(options);
}

class OllamaProvider implements Provider {
  readonly type = "ollama";
  readonly baseUrl: string;
  readonly #endpoint: Endpoint;
  readonly #random: Random;

  constructor(options: ProviderOptions) {
    this.#endpoint = new Endpoint(options, HINT);
    this.baseUrl = this.#endpoint.baseUrl;
    this.#random = options.random ?? systemRandom;
  }

  async *generate(request: GenerateRequest, { signal }: GenerateOptions): AsyncGenerator<ProviderEvent> {
    const exchange = this.#open(signal, {
      checkLine: (line, last) => this.#checkLine(line, last ? exchange.truncated() : undefined, exchange),
    });
    const decoder = new OllamaDecoder(new CallIds(request.messages, this.#random));
    try {
      const stream = await this.#client(exchange).chat(chatRequest(request));
      exchange.guard();
      yield exchange.started();
      for await (const chunk of stream) {
        for (const event of decoder.events(chunk)) {
          exchange.guard();
          yield event;
        }
        const finished = decoder.finish(chunk);
        if (!finished) continue;
        exchange.guard();
        exchange.end();
        yield finished;
        return;
      }
      throw exchange.truncated();
    } catch (thrown) {
      throw exchange.explain(thrown);
    } finally {
      exchange.close();
    }
  }

  async server(signal: AbortSignal): Promise<ServerInfo> {
    const { body, answer } = await this.#ask(signal, (client) => client.version());
    return {
      version: textOf(body["version"]) || null,
      simulated: answer?.get(SIMULATED_HEADER) === "1",
    };
  }

  async models(signal: AbortSignal): Promise<readonly ModelInfo[]> {
    const { body } = await this.#ask(signal, (client) => client.list());
    return listOf(body["models"]).map(listedModel);
  }

  async describe(model: string, signal: AbortSignal): Promise<ModelInfo> {
    const { body } = await this.#ask(signal, (client) => client.show({ model }));
    const shown = shownModel(model, body);
    // `/api/show` tells no size.
    const listed = (await this.models(signal)).find((each) => sameModel(each.name, model));
    return { ...shown, sizeBytes: listed?.sizeBytes ?? null };
  }

  async loaded(signal: AbortSignal): Promise<readonly LoadedModelInfo[]> {
    const { body } = await this.#ask(signal, (client) => client.ps());
    return listOf(body["models"]).map(loadedModel);
  }

  async preload(
    model: string,
    { signal, ...runner }: RunnerOptions & { readonly signal: AbortSignal },
  ): Promise<void> {
    // Loading is what is waited for here, so the full deadline holds.
    await this.#ask(signal, (client) => client.chat(preloadRequest(model, runner)), {});
  }

  async unload(model: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    await this.#ask(signal, (client) => client.chat(unloadRequest(model)));
  }

  #open(signal: AbortSignal, rules: ExchangeRules): Exchange {
    return new Exchange(this.#endpoint, signal, rules);
  }

  #client(exchange: Exchange): Ollama {
    return new Ollama({ host: this.baseUrl, fetch: exchange.fetch as typeof fetch });
  }

  /** One question with one JSON answer. */
  async #ask(
    signal: AbortSignal,
    question: (client: Ollama) => Promise<unknown>,
    rules: ExchangeRules = this.#quick(),
  ): Promise<{ readonly body: Readonly<Record<string, unknown>>; readonly answer: Headers | undefined }> {
    const exchange = this.#open(signal, rules);
    try {
      const body = objectOf(await question(this.#client(exchange)));
      exchange.guard();
      exchange.end();
      return { body, answer: exchange.answer };
    } catch (thrown) {
      throw exchange.explain(thrown);
    } finally {
      exchange.close();
    }
  }

  #quick(): ExchangeRules {
    const { firstByteMs } = this.#endpoint.deadlines;
    const shorter = firstByteMs > 0 ? Math.min(firstByteMs, QUESTION_FIRST_BYTE_MS) : QUESTION_FIRST_BYTE_MS;
    return { deadlines: { firstByteMs: shorter } };
  }

  /** Throws for a line that is no JSON object (`truncated` when the body ended with it) or that tells an error. */
  #checkLine(line: string, truncated: Error | undefined, exchange: Exchange): boolean {
    if (line.trim() === "") return false;
    const parsed = parseJson(line);
    if (!parsed || !isObject(parsed.value)) {
      throw truncated ?? exchange.malformed("bad_json", "got a line that is no JSON object");
    }
    if (parsed.value["error"] === undefined) return true;
    throw explainRefusal({ body: line }, this.#endpoint.place, this.#endpoint.clock.now());
  }
}
