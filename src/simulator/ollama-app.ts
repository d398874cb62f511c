// Ollama's native API over the simulated box. Errors are `{"error": text}` with Ollama's statuses and texts.

import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { messageOf } from "../base/errors.ts";
import { newId, type Random } from "../base/ids.ts";
import type { SimulatedBox } from "./box.ts";
import { bodyOf, modelNamed, statusOf, type JsonObject } from "./chat-request.ts";
import { isServerGone } from "./faults.ts";
import { generate, type GenerationRequest } from "./generation.ts";
import {
  capabilities,
  chunkBody,
  generationFrom,
  listedModel,
  loadedModel,
  shownModel,
  wholeBody,
} from "./ollama-wire.ts";
import { brokenConnection, clientGone, streamed } from "./respond.ts";

/** What both apps stand on. */
export interface AppOptions {
  readonly box: SimulatedBox;
  readonly random: Random;
}

/** The version that the simulator answers with: it names itself, so that nobody takes it for Ollama. */
export const SIMULATOR_VERSION = "0.0.0-troupe-simulator";

class NativeChat {
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
    const name = String(body["model"]);
    if (generation.messages.length === 0) return Response.json(await this.#preload(generation, name));
    if (body["stream"] === false) {
      return Response.json(wholeBody(await Array.fromAsync(this.#bodies(generation, name))));
    }
    return streamed(this.#lines(generation, name), {
      contentType: "application/x-ndjson",
      client,
      onError: (error) => `${JSON.stringify({ error: messageOf(error) })}\n`,
    });
  }

  /** Without messages a request only loads the model; with `keep_alive: 0` it only unloads it. */
  async #preload(generation: GenerationRequest, model: string): Promise<JsonObject> {
    const unload = generation.keepAliveMs === 0;
    if (unload) this.#box.unload(generation.model);
    else (await this.#box.enter(generation)).leave();
    return {
      model,
      created_at: this.#now(),
      message: { role: "assistant", content: "" },
      done: true,
      done_reason: unload ? "unload" : "load",
    };
  }

  async *#bodies(generation: GenerationRequest, model: string): AsyncGenerator<JsonObject> {
    for await (const chunk of generate(this.#box, generation)) {
      yield chunkBody(chunk, { model, createdAt: this.#now() }, () => newId("call", this.#random));
    }
  }

  async *#lines(generation: GenerationRequest, model: string): AsyncGenerator<string> {
    for await (const body of this.#bodies(generation, model)) yield `${JSON.stringify(body)}\n`;
  }

  #now(): string {
    return new Date(this.#box.clock.now()).toISOString();
  }
}

/** The routes under `/api`. */
export function ollamaApp(options: AppOptions): Hono {
  const { box } = options;
  const chat = new NativeChat(options);
  const madeAt = new Date(box.clock.now()).toISOString();
  const app = new Hono();
  app.get("/api/version", (context) => context.json({ version: SIMULATOR_VERSION }));
  app.get("/api/tags", (context) =>
    context.json({
      models: box.models.map((model) => ({
        ...listedModel(model),
        modified_at: madeAt,
        ...(box.config.listsCapabilities ? { capabilities: capabilities(model) } : {}),
      })),
    }),
  );
  app.get("/api/ps", (context) => context.json({ models: box.loaded().map(loadedModel) }));
  app.post("/api/show", async (context) => {
    const body = bodyOf(await context.req.text());
    const model = modelNamed(box, body["model"] ?? body["name"]);
    return context.json({ ...shownModel(model), modified_at: madeAt });
  });
  app.delete("/api/delete", async (context) => {
    const body = bodyOf(await context.req.text());
    box.delete(modelNamed(box, body["model"] ?? body["name"]).name);
    return context.body(null, 200);
  });
  app.post("/api/chat", (context) => chat.answer(context.req.raw));
  app.onError((error, context) => {
    if (isServerGone(error)) return brokenConnection();
    return context.json({ error: messageOf(error) }, statusOf(error) as ContentfulStatusCode);
  });
  return app;
}
