// A whole Troupe on a real Ollama, as `troupe serve` composes one, but for its HTTP face; and what a test asks of it:
// to wait for an event, and how many generations it had under way at most.

import { tmpdir } from "node:os";
import { systemClock } from "../../src/base/clock.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import { systemRandom } from "../../src/base/ids.ts";
import { compose, type Troupe } from "../../src/compose.ts";
import type { EventsQuery, TroupeApi } from "../../src/core/api.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import type { EventFrame, StoredEvent } from "../../src/core/event.ts";
import { PLAIN_MODEL, TOOLS_MODEL } from "./tiny-models.ts";

export interface RealTroupeOptions {
  readonly baseUrl: string;
  readonly slots?: number;
  readonly patienceMs?: number;
  readonly model?: string;
  readonly sessionModel?: string;
  /** Off leaves loading and unloading to the server. */
  readonly manageModels?: boolean;
  /** How long tasks wait for a server that is away, in seconds; for ever when absent. */
  readonly maxOutageS?: number;
  /** What the scheduler may plan with. */
  readonly vramBytes?: number;
}

export interface RealTroupe {
  readonly troupe: Troupe;
  readonly api: TroupeApi;
  /** The most generations that were under way at once, from the request to the last byte. */
  readonly peak: () => number;
  readonly inFlight: () => number;
  /** What was sent to `/api/chat`, oldest first. */
  readonly chats: readonly ChatBody[];
  readonly logged: readonly string[];
}

export interface ChatBody {
  readonly model: string;
  readonly messages: readonly unknown[];
  readonly keep_alive?: unknown;
  readonly shift?: unknown;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Counts the chats that are under way. The line that says `done` is the last: what follows closes the body. */
function counting(fetch: typeof globalThis.fetch) {
  let inFlight = 0;
  let peak = 0;
  const chats: ChatBody[] = [];
  const counted = async (input: string, init?: RequestInit): Promise<Response> => {
    if (!input.endsWith("/api/chat")) return fetch(input, init);
    const chat = JSON.parse(init?.body as string) as ChatBody;
    chats.push(chat);
    // Without messages nothing is generated: a model is loaded, or let go.
    if (chat.messages.length === 0) return fetch(input, init);
    peak = Math.max(peak, ++inFlight);
    let open = true;
    const over = (): void => {
      if (open) inFlight -= 1;
      open = false;
    };
    init?.signal?.addEventListener("abort", over, { once: true });
    const decoder = new TextDecoder();
    const watched = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        if (decoder.decode(chunk, { stream: true }).includes('"done":true')) over();
        controller.enqueue(chunk);
      },
      flush: over,
    });
    try {
      const response = await fetch(input, init);
      return new Response(response.body?.pipeThrough(watched) ?? null, response);
    } catch (error) {
      over();
      throw error;
    }
  };
  return { fetch: counted as typeof globalThis.fetch, peak: () => peak, inFlight: () => inFlight, chats };
}

/** Contract: the caller closes the troupe. */
export async function troupeOn(options: RealTroupeOptions): Promise<RealTroupe> {
  const { baseUrl, slots = 1, patienceMs = 5_000, model = PLAIN_MODEL, sessionModel = TOOLS_MODEL } = options;
  const { manageModels = true, vramBytes = null, maxOutageS = null } = options;
  const logged: string[] = [];
  const counter = counting(runtimeFetch());
  const troupe = await compose({
    world: {
      clock: systemClock,
      random: systemRandom,
      fetch: counter.fetch,
      env: {},
      cwd: tmpdir(),
      writeLog: (line) => logged.push(line),
    },
    vramBytes,
    config: configSchema.parse({
      workspace: tmpdir(),
      model: sessionModel,
      delegation: { model, cancel_deadline_s: 5 },
      agents: {
        writer: { toolsets: [], max_output_tokens: 32 },
        // As long as the context allows: some seconds.
        novelist: { toolsets: [], max_output_tokens: 1_500 },
        talker: { model: PLAIN_MODEL, toolsets: [], max_output_tokens: 16 },
        chatter: { model: TOOLS_MODEL, toolsets: [], max_output_tokens: 64 },
      },
      providers: {
        ollama: { type: "ollama", base_url: baseUrl, slots, max_children: 8, manage_models: manageModels },
      },
      routing: { max_outage_s: maxOutageS },
      scheduler: { interactive_patience_s: patienceMs / 1_000 },
      store: { durability: "none" },
    }),
  });
  return {
    troupe,
    api: troupe.api,
    peak: counter.peak,
    inFlight: counter.inFlight,
    chats: counter.chats,
    logged,
  };
}

/** Every event up to the one that is waited for. */
export async function eventsUntil(
  api: TroupeApi,
  query: EventsQuery,
  last: (event: StoredEvent) => boolean,
): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const frame of api.events({ after: 0, ...query })) {
    if (frame.kind !== "event") continue;
    events.push(frame.event);
    if (last(frame.event)) break;
  }
  return events;
}

/** The first text that a task writes from now on. */
export async function firstText(api: TroupeApi, taskId: string): Promise<EventFrame | undefined> {
  for await (const frame of api.events({ taskId, deltas: true })) if (frame.kind === "delta") return frame;
  return undefined;
}
