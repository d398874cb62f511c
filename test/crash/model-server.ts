// A tiny server of Ollama's protocol that outlives every kill of the server under test. Its one model is the planner;
// it says which plan each generation was about, since what runs twice, or after a cancel, is seen here and nowhere else.

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { replyTo, type ChatMessage, type Reply } from "./planner.ts";
import type { Plan } from "./plan.ts";

export const MODEL = "planner:latest";

/** What goes wrong with one generation. */
export type Fault = "refuses" | "breaks_off" | "bad_json" | "hangs";

export interface ModelServerOptions {
  /** Told of each generation that begins. */
  readonly onGeneration?: (plan: Plan) => void;
  /** Asked before each generation; `null` for a good one. */
  readonly faultOf?: () => Fault | null;
  /** What the model says; the planner's word unless told. */
  readonly reply?: typeof replyTo;
}

export interface ModelServer {
  readonly url: string;
  readonly generations: () => number;
  close(): Promise<void>;
}

type Raw = Readonly<Record<string, unknown>>;

const DETAILS = { format: "rules", family: "planner", parameter_size: "1B", quantization_level: "none" };
const LISTED = { name: MODEL, model: MODEL, size: 1_000_000, digest: "0".repeat(64), details: DETAILS };
const LOADED = {
  ...LISTED,
  size_vram: LISTED.size,
  context_length: 16_384,
  expires_at: "2100-01-01T00:00:00Z",
};
const CAPABILITIES = ["completion", "tools"];
const SHOWN = {
  details: DETAILS,
  capabilities: CAPABILITIES,
  model_info: { "general.architecture": "planner", "planner.context_length": 1_000_000 },
};

/** Contract: listens on a free port of this machine; `close` breaks off what is under way. */
export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  let generations = 0;
  let loaded = false;
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const path = request.url ?? "";
      if (path === "/api/version") return json(response, { version: "0.24.0" });
      if (path === "/api/tags")
        return json(response, { models: [{ ...LISTED, capabilities: CAPABILITIES }] });
      if (path === "/api/ps") return json(response, { models: loaded ? [LOADED] : [] });
      if (path === "/api/show") return json(response, SHOWN);
      if (path !== "/api/chat") return json(response, { error: "not found" }, 404);
      loaded = true;
      const body = JSON.parse(await textOf(request)) as Raw;
      // Asked for nothing, it only loads its model.
      if (messagesIn(body).length === 0)
        return json(response, { model: MODEL, done: true, done_reason: "load" });
      generations++;
      await chat(body, response, options);
    };
    answer().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    generations: () => generations,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function chat(body: Raw, response: ServerResponse, options: ModelServerOptions): Promise<void> {
  const messages = messagesIn(body);
  const reply = (options.reply ?? replyTo)(messages, toolsIn(body));
  if (reply.plan) options.onGeneration?.(reply.plan);
  const fault = options.faultOf?.() ?? null;
  if (fault === "refuses") return json(response, { error: "server busy, please try again." }, 503);
  if (fault === "hangs") return gone(response);
  await wait((reply.plan?.ms ?? 0) / 2);
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.write(line({ role: "assistant", content: reply.text === "" ? "" : "I " }));
  await wait((reply.plan?.ms ?? 0) / 2);
  if (fault === "breaks_off") return void response.destroy();
  if (fault === "bad_json") return void response.end('{"message": {"role": "assis\n');
  response.end(line(messageOf(reply)) + last(messages, reply));
}

function messageOf({ text, calls }: Reply): Readonly<Record<string, unknown>> {
  if (calls.length === 0) return { role: "assistant", content: text };
  const made = calls.map(({ name, input }) => ({ function: { name, arguments: input } }));
  return { role: "assistant", content: "", tool_calls: made };
}

function last(messages: readonly ChatMessage[], { text }: Reply): string {
  const figures = { prompt_eval_count: messages.length * 10, eval_count: 1 + text.length };
  const end = { done: true, done_reason: "stop", total_duration: 1_000_000, ...figures };
  return `${JSON.stringify({ model: MODEL, message: { role: "assistant", content: "" }, ...end })}\n`;
}

function line(message: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ model: MODEL, message, done: false })}\n`;
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function wait(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves when the client has left. */
function gone(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => response.once("close", resolve));
}

function messagesIn(body: Raw): readonly ChatMessage[] {
  const messages = Array.isArray(body["messages"]) ? (body["messages"] as Raw[]) : [];
  return messages.map((message) => ({
    role: String(message["role"]),
    content: typeof message["content"] === "string" ? message["content"] : "",
    calls: ((message["tool_calls"] ?? []) as Raw[]).map((call) => {
      const made = call["function"] as { readonly name: string; readonly arguments: Raw };
      return { id: String(call["id"]), name: made.name, input: made.arguments };
    }),
    answers: typeof message["tool_call_id"] === "string" ? message["tool_call_id"] : null,
  }));
}

function toolsIn(body: Raw): ReadonlySet<string> {
  const tools = (body["tools"] ?? []) as { readonly function: { readonly name: string } }[];
  return new Set(tools.map((tool) => tool.function.name));
}
