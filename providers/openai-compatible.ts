// Any server with OpenAI's chat completions. The `openai` package is the client, one object per request with zero
// retries; it is handed neither the key nor the environment's (headers are the exchange's), and it is loaded with
// the first request, since it is large. Deadlines, aborts, refusals and the length of lines are the exchange's.

import type { OpenAI } from "openai";
import { ProviderError } from "../src/base/errors.ts";
import type { Random } from "../src/base/ids.ts";
import { systemRandom } from "../src/base/ids.ts";
import { Endpoint } from "./endpoint.ts";
import type { ExchangeRules } from "./exchange.ts";
import { Exchange } from "./exchange.ts";
import { explainRefusal } from "./failure.ts";
import { listOf, objectOf } from "./json.ts";
import { ChatDecoder, chatParams, listedModel } from "./openai-wire.ts";
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
import { MAX_LINE_CHARS, SIMULATED_HEADER } from "./provider.ts";
import { CallIds } from "./tool-calls.ts";

const HINT = "Check that it runs, and that the provider's `base_url` (with its `/v1`) is right.";

/** The list of models is a question about the server; queueing and prefill do not excuse it. */
const QUESTION_FIRST_BYTE_MS = 30_000;

/** The client's own timeout cannot be switched off; this is the longest that a timer takes. */
const NEVER_MS = 2_147_483_647;

/** A provider for one endpoint. Throws ConfigError for an address or a key that can never work. */
export function openaiCompatible(options: ProviderOptions): Provider {
  return new OpenaiCompatibleProvider(options);
}

class OpenaiCompatibleProvider implements Provider {
  readonly type = "openai";
  readonly baseUrl: string;
  readonly #endpoint: Endpoint;
  readonly #random: Random;

  constructor(options: ProviderOptions) {
    this.#endpoint = new Endpoint(options, HINT);
    this.baseUrl = this.#endpoint.baseUrl;
    this.#random = options.random ?? systemRandom;
  }

  async *generate(request: GenerateRequest, { signal }: GenerateOptions): AsyncGenerator<ProviderEvent> {
    const lines = new SseLines();
    const exchange = this.#open(signal, {
      checkLine: (line) => {
        if (!lines.take(line)) throw exchange.malformed("line_too_long", "got an event that is too long");
        return true;
      },
    });
    const decoder = new ChatDecoder(new CallIds(request.messages, this.#random));
    try {
      const client = await this.#client(exchange);
      const stream = await client.chat.completions.create(chatParams(request, this.baseUrl));
      this.#expectStream(exchange);
      exchange.guard();
      yield exchange.started();
      for await (const chunk of stream) {
        for (const event of decoder.events(chunk)) {
          exchange.guard();
          yield event;
        }
        if (decoder.heldChars > MAX_LINE_CHARS) {
          throw exchange.malformed("line_too_long", "got a tool call that is too long");
        }
      }
      exchange.guard();
      this.#expectGoodEnd(decoder.finishReason, lines.done, exchange);
      exchange.end();
      for (const event of decoder.finish()) {
        exchange.guard();
        yield event;
      }
    } catch (thrown) {
      throw exchange.explain(this.#streamError(thrown));
    } finally {
      exchange.close();
    }
  }

  async server(signal: AbortSignal): Promise<ServerInfo> {
    const { answer } = await this.#list(signal);
    return { version: null, simulated: answer?.get(SIMULATED_HEADER) === "1" };
  }

  async models(signal: AbortSignal): Promise<readonly ModelInfo[]> {
    return (await this.#list(signal)).models;
  }

  async describe(model: string, signal: AbortSignal): Promise<ModelInfo> {
    const found = (await this.models(signal)).find((each) => each.name === model);
    if (found) return found;
    const message = `Expected the model ${JSON.stringify(model)} at ${this.baseUrl}, but its list does not have it. Name one that it has.`;
    throw new ProviderError({ kind: "refused", code: "model_not_found" }, message);
  }

  /** The protocol does not tell. */
  loaded(signal: AbortSignal): Promise<readonly LoadedModelInfo[]> {
    return signal.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve([]);
  }

  /** The protocol cannot ask for it. */
  preload(_model: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return signal.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve();
  }

  /** Nor for this. */
  unload(_model: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return signal.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve();
  }

  #open(signal: AbortSignal, rules: ExchangeRules): Exchange {
    return new Exchange(this.#endpoint, signal, rules);
  }

  async #client(exchange: Exchange): Promise<OpenAI> {
    const { OpenAI } = await import("openai");
    return new OpenAI({
      baseURL: this.baseUrl,
      // It insists on one; the real key is set by the exchange, past the client.
      apiKey: "unused",
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      maxRetries: 0,
      timeout: NEVER_MS,
      logLevel: "off",
      dangerouslyAllowBrowser: true,
      fetch: exchange.fetch as typeof fetch,
    });
  }

  async #list(
    signal: AbortSignal,
  ): Promise<{ readonly models: readonly ModelInfo[]; readonly answer: Headers | undefined }> {
    const { firstByteMs } = this.#endpoint.deadlines;
    const shorter = firstByteMs > 0 ? Math.min(firstByteMs, QUESTION_FIRST_BYTE_MS) : QUESTION_FIRST_BYTE_MS;
    const exchange = this.#open(signal, { deadlines: { firstByteMs: shorter } });
    try {
      const page: unknown = await (await this.#client(exchange)).models.list();
      exchange.guard();
      exchange.end();
      const models = listOf(objectOf(page)["data"]).map(listedModel);
      return { models, answer: exchange.answer };
    } catch (thrown) {
      throw exchange.explain(thrown);
    } finally {
      exchange.close();
    }
  }

  /** A page of HTML, or a document where a stream was asked for, is another server than the config means. */
  #expectStream(exchange: Exchange): void {
    const type = exchange.answer?.get("content-type") ?? "";
    if (/^(text\/html|application\/json)\b/i.test(type)) {
      throw exchange.malformed("not_a_stream", `got ${type} where a stream was asked for`);
    }
  }

  #expectGoodEnd(reason: string | null, done: boolean, exchange: Exchange): void {
    if (reason === null && !done) throw exchange.truncated();
    if (reason === "content_filter") {
      const message = `Expected an answer from ${this.baseUrl}, but its content filter stopped it. Change what is asked.`;
      throw new ProviderError({ kind: "refused", code: "content_filter" }, message);
    }
    if (reason === "error") throw this.#explain("The generation ended with an error.");
  }

  /** An error object inside a stream that was accepted reaches us as the client's error. */
  #streamError(thrown: unknown): unknown {
    const error = objectOf(thrown)["error"];
    const inside = thrown instanceof Error && objectOf(thrown)["status"] === undefined;
    if (!inside || error === undefined || error === null) return thrown;
    return this.#explain(typeof error === "string" ? error : JSON.stringify({ error }));
  }

  #explain(body: string): ProviderError {
    return explainRefusal({ body }, this.#endpoint.place, this.#endpoint.clock.now());
  }
}

/** Watches the lines of an event stream: whether the closing mark came, and that no event grows without end. */
class SseLines {
  #chars = 0;
  done = false;

  /** False when one event has passed the limit. */
  take(line: string): boolean {
    this.#chars = line === "" ? 0 : this.#chars + line.length;
    if (/^data:\s*\[DONE\]/.test(line)) this.done = true;
    return this.#chars <= MAX_LINE_CHARS;
  }
}
