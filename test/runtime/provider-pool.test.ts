import { afterEach, describe, expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import { planProviders } from "../../src/config/plan.ts";
import { Credentials } from "../../src/credentials/credentials.ts";
import { ProviderPool } from "../../src/runtime/provider-pool.ts";
import { wireServer, type WireExchange, type WireServer } from "../providers/wire-server.ts";

const servers: WireServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function server(answer?: (exchange: WireExchange) => void): Promise<WireServer> {
  const made = await wireServer(answer);
  servers.push(made);
  return made;
}

function pool(providers: object, env: Record<string, string | undefined> = {}) {
  const { plans } = planProviders(configSchema.parse({ providers }), env);
  const credentials = new Credentials({ env, sources: plans });
  const clock = new SimulatedClock();
  return { clock, pool: new ProviderPool({ plans, credentials, fetch: runtimeFetch(), clock }) };
}

/** Answers as an Ollama with these models does. */
function ollama(exchange: WireExchange): void {
  const model = { name: "tiny:latest", model: "tiny:latest", size: 123, details: { parameter_size: "1B" } };
  const shown = {
    capabilities: ["completion", "tools"],
    details: {},
    model_info: { "general.architecture": "x", "x.context_length": 4096 },
  };
  const answers: Record<string, object> = {
    "/api/version": { version: "0.33.0" },
    "/api/tags": { models: [model] },
    "/api/show": shown,
  };
  const answer = answers[exchange.path];
  exchange
    .head(answer ? 200 : 404, { "content-type": "application/json" })
    .end(JSON.stringify(answer ?? { error: "not found" }));
}

describe("ProviderPool", () => {
  test("keeps one client per provider while its key stays the same, and makes another when it changes", () => {
    const env: Record<string, string | undefined> = { KEY: "sk-first-123456" };
    const made = pool({ a: { type: "openai", base_url: "http://127.0.0.1:1/v1", api_key: "env:KEY" } }, env);
    const first = made.pool.of("a");
    expect(made.pool.of("a")).toBe(first);
    env["KEY"] = "sk-second-123456";
    const second = made.pool.of("a");
    expect(second).not.toBe(first);
    expect(made.pool.of("a")).toBe(second);
  });

  test("refuses a provider that the config has not, naming those that it has", () => {
    const made = pool({ a: { type: "ollama", base_url: "http://127.0.0.1:1" } });
    expect(() => made.pool.of("b")).toThrow(ConfigError);
    expect(() => made.pool.of("b")).toThrow(/no provider b\. Known: a/);
  });

  test("refuses the client of a provider whose key is missing, and still lets one look at it", () => {
    const made = pool({ a: { type: "openai", base_url: "http://127.0.0.1:1/v1", api_key: "env:KEY" } });
    expect(() => made.pool.of("a")).toThrow(expect.objectContaining({ code: "credential_missing" }) as Error);
    expect([...made.pool.all().keys()]).toEqual(["a"]);
    expect(made.pool.all().get("a")?.type).toBe("openai");
  });

  test("drives an Ollama that was configured behind /v1 natively, once it has asked it", async () => {
    const { url } = await server(ollama);
    const made = pool({ box: { base_url: `${url}/v1` } });
    expect(made.pool.of("box").type).toBe("openai");
    const { box } = await made.pool.discover();
    expect(made.pool.of("box")).toMatchObject({ type: "ollama", baseUrl: url });
    expect(box).toMatchObject({
      type: "ollama",
      reachable: true,
      version: "0.33.0",
      models: [{ name: "tiny:latest", sizeBytes: 123, tools: true, contextTokens: 4096 }],
    });
  });

  test("takes any other server behind /v1 for what it says that it is", async () => {
    const { url } = await server((exchange) =>
      exchange.path === "/v1/models"
        ? exchange.head(200, { "content-type": "application/json" }).end('{"data":[{"id":"m"}]}')
        : exchange.head(404, {}).end(),
    );
    const made = pool({ other: { base_url: `${url}/v1` } });
    const { other } = await made.pool.discover();
    expect(other).toMatchObject({ type: "openai", reachable: true, models: [{ name: "m" }] });
  });

  test("tells of a server that is not there, of a key that is missing, and of the rest all the same", async () => {
    const { url } = await server(ollama);
    const gone = await wireServer();
    await gone.close();
    const made = pool({
      good: { type: "ollama", base_url: url },
      gone: { type: "ollama", base_url: gone.url },
      keyless: { type: "openai", base_url: `${url}/v1`, api_key: "env:NO_SUCH_KEY" },
    });
    const found = await made.pool.discover();
    expect(found["good"]).toMatchObject({ reachable: true, problem: null });
    expect(found["gone"]).toMatchObject({
      reachable: false,
      models: [],
      problem: expect.stringContaining(gone.url) as string,
    });
    expect(found["keyless"]).toMatchObject({
      reachable: false,
      problem: expect.stringContaining("NO_SUCH_KEY") as string,
    });
  });

  test("waits five seconds for a server that is silent, and no longer", async () => {
    const silent = await server();
    const made = pool({ mute: { type: "ollama", base_url: silent.url } });
    const finding = made.pool.discover();
    await silent.nth(0);
    await made.clock.advance(5_000);
    expect((await finding)["mute"]).toMatchObject({
      reachable: false,
      problem: expect.stringMatching(/did not answer within 5 s/) as string,
    });
  });

  describe("with several keys", () => {
    const env = { A: "sk-refused-123456", B: "sk-taken-123456" };
    const asked: string[] = [];
    /** Takes the second key alone. */
    const picky = (exchange: WireExchange): void => {
      const key = exchange.headers.authorization ?? "";
      asked.push(key.slice("Bearer sk-".length, -"-123456".length));
      const isTaken = key.includes("taken");
      exchange
        .head(isTaken ? 200 : 401, { "content-type": "application/json" })
        .end(JSON.stringify(isTaken ? { data: [{ id: "m" }] } : { error: { message: "Incorrect API key" } }));
    };

    test("asks with the next where one is refused, says which, and begins with the one that was taken", async () => {
      const { url } = await server(picky);
      const made = pool(
        { cloud: { type: "openai", base_url: `${url}/v1`, api_keys: ["env:A", "env:B"] } },
        env,
      );
      const { cloud } = await made.pool.discover();
      expect(cloud).toMatchObject({ reachable: true, models: [{ name: "m" }] });
      expect(cloud?.refusedKeys).toEqual([
        {
          fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
          source: "env:A",
          reason: expect.stringContaining("401") as string,
        },
      ]);
      expect(JSON.stringify(cloud)).not.toContain(env.A);
      asked.splice(0);
      // With a desk of keys the order is the desk's; without one the config's.
      expect(await made.pool.all().get("cloud")?.models(new AbortController().signal)).toHaveLength(1);
      expect(asked).toEqual(["refused", "taken"]);
    });

    test("tells of all of them where none is taken", async () => {
      const { url } = await server(picky);
      const made = pool(
        { cloud: { type: "openai", base_url: `${url}/v1`, api_keys: ["env:A", "env:B"] } },
        { ...env, B: "sk-refused-too-123456" },
      );
      const { cloud } = await made.pool.discover();
      expect(cloud).toMatchObject({ reachable: false, problem: expect.stringContaining("401") as string });
      expect(cloud?.refusedKeys?.map(({ source }) => source)).toEqual(["env:A", "env:B"]);
    });
  });
});
