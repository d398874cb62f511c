// The OpenAI-compatible routes of the same box: chat completions with server-sent events, and the model list.

import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { messageOf } from "../base/errors.ts";
import { newId, type Random } from "../base/ids.ts";
import type { SimulatedBox } from "./box.ts";
import { bodyOf, isObject, statusOf, type JsonObject } from "./chat-request.ts";
import { taggedName } from "./config.ts";
import { isServerGone } from "./faults.ts";
import { generate, type GenerationRequest } from "./generation.ts";
import { CompletionWriter, errorBody, generationFrom } from "./openai-wire.ts";
import type { AppOptions } from "./ollama-app.ts";
import { brokenConnection, clientGone, streamed } from "./respond.ts";

class Completions {
  readonly #box: SimulatedBox;
  readonly #random: Random;

  constructor({ box, random }: AppOptions) {
    this.#box = box;
    this.#random = random;
  }

  async answer(request: Request): Promise<Response> {
    const client = clientGone(request);
    const body = bodyOf(await request.text());
    const generation = generationFrom(body, this.#box, client.signal);
    const writer = this.#writer(String(body["model"]));
    if (body["stream"] !== true) {
      return Response.json(writer.whole(await Array.fromAsync(generate(this.#box, generation))));
    }
    const wantsUsage = isObject(body["stream_options"]) && body["stream_options"]["include_usage"] === true;
    return streamed(this.#events(generation, writer, wantsUsage), {
      contentType: "text/event-stream",
      client,
      onError: (error) => event(errorBody(messageOf(error), statusOf(error))),
    });
  }

  async *#events(
    generation: GenerationRequest,
    writer: CompletionWriter,
    wantsUsage: boolean,
  ): AsyncGenerator<string> {
    for await (const chunk of generate(this.#box, generation)) {
      yield event(writer.delta(chunk));
      if (chunk.type === "done" && wantsUsage) yield event(writer.usage(chunk.figures));
    }
    yield "data: [DONE]\n\n";
  }

  #writer(model: string): CompletionWriter {
    const id = newId("req", this.#random).replace("req_", "chatcmpl-");
    const created = Math.floor(this.#box.clock.now() / 1_000);
    return new CompletionWriter({ id, created, model }, () => newId("call", this.#random));
  }
}

function event(data: JsonObject): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** The routes under `/v1`. */
export function openaiApp(options: AppOptions): Hono {
  const { box } = options;
  const completions = new Completions(options);
  const created = Math.floor(box.clock.now() / 1_000);
  const app = new Hono();
  app.get("/v1/models", (context) =>
    context.json({
      object: "list",
      data: box.models.map((model) => ({
        id: taggedName(model.name),
        object: "model",
        created,
        owned_by: "troupe-simulator",
      })),
    }),
  );
  app.post("/v1/chat/completions", (context) => completions.answer(context.req.raw));
  app.onError((error, context) => {
    if (isServerGone(error)) return brokenConnection();
    const status = statusOf(error);
    return context.json(errorBody(messageOf(error), status), status as ContentfulStatusCode);
  });
  return app;
}
