// Two model servers that ask for keys, and a runtime whose session lives on one and whose children on the other: the
// real credentials, provider pool and clients over real sockets. Each server notes which key came to it.

import { runtimeFetch } from "../../src/base/fetch.ts";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import { planProviders } from "../../src/config/plan.ts";
import { Credentials } from "../../src/credentials/credentials.ts";
import { ProviderPool } from "../../src/runtime/provider-pool.ts";
import { wireServer, type WireExchange, type WireServer } from "../providers/wire-server.ts";
import { agentNamed, realRig, testSettings, type Rig } from "./rig.ts";

const chunk = (delta: object, finish: string | null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

interface ChatBody {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

/** Calls whatever tool the person names as JSON, and says "ok" to everything else. */
function answer(exchange: WireExchange): void {
  const { messages } = exchange.body as ChatBody;
  const last = messages.at(-1);
  const asked = last?.role === "user" && String(last.content).startsWith("{") ? String(last.content) : null;
  exchange.head(200, { "content-type": "text/event-stream" });
  if (asked === null) return exchange.end(`${chunk({ content: "ok" }, "stop")}data: [DONE]\n\n`);
  const { tool, args } = JSON.parse(asked) as { tool: string; args: unknown };
  const call = {
    index: 0,
    id: "c1",
    type: "function",
    function: { name: tool, arguments: JSON.stringify(args) },
  };
  exchange.end(`${chunk({ tool_calls: [call] }, "tool_calls")}data: [DONE]\n\n`);
}

export class KeyedBox {
  readonly rig: Rig<Clock>;
  readonly pool: ProviderPool;
  readonly credentials: Credentials;
  readonly home: WireServer;
  readonly cloud: WireServer;

  constructor(parts: Pick<KeyedBox, "rig" | "pool" | "credentials" | "home" | "cloud">) {
    this.rig = parts.rig;
    this.pool = parts.pool;
    this.credentials = parts.credentials;
    this.home = parts.home;
    this.cloud = parts.cloud;
  }

  /** The authorization of every generation that a server saw; `null` where none came. */
  keysAt(server: "home" | "cloud"): (string | null)[] {
    return this[server].exchanges
      .filter(({ path }) => path.endsWith("/chat/completions"))
      .map(({ headers }) => headers.authorization ?? null);
  }

  /** Lets the session's model make one call, and gives what it was answered. */
  async use(sessionId: string, tool: string, args: unknown): Promise<string> {
    const { api } = this.rig;
    const before = (await api.transcript(sessionId)).items.length;
    await api.sendMessage(sessionId, { text: JSON.stringify({ tool, args }) });
    for await (const frame of api.events({ after: 0, taskId: sessionId })) {
      if (frame.kind !== "event" || frame.event.type !== "answer.finished") continue;
      const rows = (await api.transcript(sessionId)).items.slice(before);
      const parts = rows.flatMap(({ message }) => message.parts);
      const result = parts.find((part) => part.type === "tool_result");
      if (result?.type === "tool_result") return result.text;
    }
    throw new Error("The session ended without an answer.");
  }

  async close(): Promise<void> {
    await this.rig.runtime.close();
    await Promise.all([this.home.close(), this.cloud.close()]);
  }
}

export interface KeyedOptions {
  /** `env:NAME`, a literal or `none`, for each provider; absent has no key. */
  readonly homeKey?: string;
  readonly cloudKey?: string;
  readonly env: Record<string, string | undefined>;
  /** The cloud's answer, where it is not the usual one. */
  readonly cloudAnswer?: (exchange: WireExchange) => void;
}

/** Sessions run on `home/parent`, unnamed children on `home/child`, the agent `cloudy` on `cloud/big`. */
export async function keyedBox(options: KeyedOptions): Promise<KeyedBox> {
  const { homeKey, cloudKey, env } = options;
  const [home, cloud] = await Promise.all([wireServer(answer), wireServer(options.cloudAnswer ?? answer)]);
  const config = configSchema.parse({
    providers: {
      home: {
        type: "openai",
        base_url: `${home.url}/v1`,
        ...(homeKey !== undefined && { api_key: homeKey }),
      },
      cloud: {
        type: "openai",
        base_url: `${cloud.url}/v1`,
        ...(cloudKey !== undefined && { api_key: cloudKey }),
      },
    },
  });
  const { plans } = planProviders(config, env);
  const credentials = new Credentials({ env, sources: plans });
  const pool = new ProviderPool({ plans, credentials, fetch: runtimeFetch(), clock: systemClock });
  const backend = (name: string) =>
    ({ name, provider: name, gpu: null, slots: 4, maxChildren: 4, local: false }) as const;
  const model = (provider: string, name: string) => ({
    ref: { provider, model: name, backend: provider },
    contextTokens: null,
    tools: true,
    thinking: false,
    promptPriceMicros: 0,
    outputPriceMicros: 0,
  });
  const models = [model("home", "parent"), model("home", "child"), model("cloud", "big")];
  const rig = realRig({
    reply: () => [],
    providerOf: (ref) => pool.of(ref.provider),
    settings: testSettings({
      backends: [backend("home"), backend("cloud")],
      models,
      parentModel: { provider: "home", model: "parent", backend: "home" },
      childModel: { provider: "home", model: "child", backend: "home" },
      agents: [agentNamed("cloudy", { model: "cloud/big" })],
    }),
  });
  return new KeyedBox({ rig, pool, credentials, home, cloud });
}
