// A model server in the shape of Ollama, as a `fetch` on any clock: what it has in memory, one load at a time, and the
// ways in which a real one misbehaves as switches. Not for timing: loads and answers take what the test says.

import { delay, type Clock } from "../../src/base/clock.ts";
import { taggedModel } from "../../src/core/load-profile.ts";
import { ollama } from "../../providers/ollama.ts";
import type { Provider } from "../../providers/provider.ts";

const KEEP_MS = 300_000;

interface Installed {
  readonly size: number;
  readonly digest: string;
}

interface Loaded {
  readonly context: number | null;
  expiresAt: number;
  users: number;
}

export interface ChatBody {
  readonly model: string;
  readonly messages: readonly unknown[];
  readonly keep_alive?: unknown;
  readonly shift?: boolean;
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface FakeOllamaOptions {
  readonly clock: Clock;
  readonly models: readonly string[];
  readonly loadMs?: number;
  readonly answerMs?: number;
  /** `OLLAMA_MAX_LOADED_MODELS`. */
  readonly maxLoaded?: number;
}

export class FakeOllama {
  readonly #options: FakeOllamaOptions;
  readonly installed = new Map<string, Installed>();
  readonly loaded = new Map<string, Loaded>();
  /** Every body that came to `/api/chat`, oldest first. */
  readonly chats: ChatBody[] = [];
  /** How often each path was asked. */
  readonly asked = new Map<string, number>();
  /** Nobody listens. */
  isDown = false;
  /** Loads hang for ever (ollama#17408); what is loaded goes on answering. */
  isWedged = false;
  /** Everything is taken and nothing answered. */
  isSilent = false;
  /** What a load is refused with, once. */
  refusal: { readonly status: number; readonly error: string } | null = null;
  /** Chats for a model that was not in memory while another one was in use: never by us. */
  rude = 0;
  /** Models that were asked to go while a generation used them: never by us. */
  hasty = 0;
  /** Ends when the process does. */
  #life = new AbortController();
  /** Ends the connections that wait for an answer. */
  readonly #open = new Set<() => void>();
  loads = 0;

  constructor(options: FakeOllamaOptions) {
    this.#options = options;
    for (const name of options.models) this.install(name);
  }

  get provider(): Provider {
    const { clock } = this.#options;
    return ollama({ baseUrl: "http://127.0.0.1:11434", fetch: this.fetch, clock });
  }

  install(name: string): void {
    this.installed.set(taggedModel(name), { size: 1_000, digest: `digest of ${taggedModel(name)}` });
  }

  /** `ollama rm`: what is in memory stays there. */
  remove(name: string): void {
    this.installed.delete(taggedModel(name));
  }

  /** What another program does. */
  foreignLoad(name: string, context: number | null = null): void {
    this.loaded.set(taggedModel(name), { context, expiresAt: this.#now() + KEEP_MS, users: 0 });
  }

  foreignUse(name: string): void {
    const loaded = this.loaded.get(taggedModel(name));
    if (loaded) loaded.expiresAt = this.#now() + KEEP_MS;
  }

  /** The server's process is no more: what it was writing breaks off, and nobody listens. */
  crash(): void {
    this.isDown = true;
    this.loaded.clear();
    this.#life.abort(broken("ECONNRESET"));
    this.#life = new AbortController();
  }

  /** The server's process was ended and started again: its memory is empty. */
  restart(): void {
    this.loaded.clear();
    this.isDown = false;
    this.isWedged = false;
    for (const hangUp of this.#open) hangUp();
  }

  get inMemory(): readonly string[] {
    return [...this.loaded.keys()];
  }

  readonly fetch = (async (input: string, init: RequestInit = {}): Promise<Response> => {
    const signal = AbortSignal.any([init.signal ?? new AbortController().signal, this.#life.signal]);
    const { pathname } = new URL(String(input));
    this.asked.set(pathname, (this.asked.get(pathname) ?? 0) + 1);
    if (this.isDown) throw broken("ECONNREFUSED");
    if (this.isSilent) return this.#silence(signal);
    if (pathname === "/api/version") return json({ version: "0.24.0" });
    if (pathname === "/api/tags")
      return json({ models: [...this.installed].map(([name, each]) => ({ name, ...each })) });
    if (pathname === "/api/ps") return json({ models: this.#shown() });
    const body = JSON.parse(init.body as string) as ChatBody;
    this.chats.push(body);
    return this.#chat(body, signal);
  }) as typeof fetch;

  #shown(): readonly object[] {
    return [...this.loaded].map(([name, { context, expiresAt }]) => ({
      name,
      size: 1_500,
      size_vram: 1_500,
      digest: `digest of ${name}`,
      context_length: context ?? 4_096,
      expires_at: new Date(expiresAt).toISOString(),
    }));
  }

  async #chat(body: ChatBody, signal: AbortSignal): Promise<Response> {
    const name = taggedModel(body.model);
    if (!this.installed.has(name)) return json({ error: `model '${body.model}' not found` }, 404);
    if (body.messages.length === 0 && body.keep_alive === 0) {
      if ((this.loaded.get(name)?.users ?? 0) > 0) this.hasty += 1;
      this.loaded.delete(name);
      return json({ done: true, done_reason: "unload" });
    }
    const refused = await this.#load(name, body, signal);
    if (refused) return refused;
    if (body.messages.length === 0) return json({ done: true, done_reason: "load" });
    return this.#answer(name, signal);
  }

  async #load(name: string, body: ChatBody, signal: AbortSignal): Promise<Response | null> {
    const context = (body.options?.["num_ctx"] as number | undefined) ?? null;
    if (this.loaded.get(name)?.context === context) return null;
    if (body.messages.length > 0 && [...this.loaded.values()].some(({ users }) => users > 0)) this.rude += 1;
    if (this.isWedged) return this.#silence(signal);
    const { refusal } = this;
    this.refusal = null;
    if (refusal) return json({ error: refusal.error }, refusal.status);
    const { loadMs = 1_000, maxLoaded = 3, clock } = this.#options;
    await delay(clock, loadMs, signal);
    this.loaded.delete(name);
    while (this.loaded.size >= maxLoaded) this.loaded.delete(this.inMemory[0] as string);
    this.loads += 1;
    this.loaded.set(name, { context, expiresAt: this.#now() + KEEP_MS, users: 0 });
    return null;
  }

  async #answer(name: string, signal: AbortSignal): Promise<Response> {
    const { answerMs = 500, clock } = this.#options;
    const loaded = this.loaded.get(name) as Loaded;
    loaded.users += 1;
    try {
      await delay(clock, answerMs, signal);
    } finally {
      loaded.users -= 1;
      loaded.expiresAt = this.#now() + KEEP_MS;
    }
    const ns = answerMs * 1_000_000;
    const lines = [
      { message: { role: "assistant", content: `From ${name}.` }, done: false },
      {
        message: { role: "assistant", content: "" },
        done: true,
        done_reason: "stop",
        total_duration: ns,
        eval_duration: ns,
        eval_count: 5,
        prompt_eval_count: 10,
      },
    ];
    const text = lines.map((line) => `${JSON.stringify({ model: name, ...line })}\n`).join("");
    return new Response(text, { headers: { "content-type": "application/x-ndjson" } });
  }

  /** No answer, until the client or the server goes away. */
  #silence(signal: AbortSignal): Promise<Response> {
    return new Promise((_, reject) => {
      const reset = (): void => reject(broken("ECONNRESET"));
      this.#open.add(reset);
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
  }

  #now(): number {
    return this.#options.clock.now();
  }
}

function json(body: object, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}

const broken = (code: string): Error => Object.assign(new TypeError("fetch failed"), { cause: { code } });
