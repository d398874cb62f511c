import { afterEach, describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import { detectOllama } from "../../providers/detect-ollama.ts";
import { never } from "./collect.ts";
import type { WireExchange, WireServer } from "./wire-server.ts";
import { wireServer } from "./wire-server.ts";

const servers: WireServer[] = [];
const clock = new SimulatedClock();
const options = { fetch: runtimeFetch(), clock, signal: never() };

async function serve(answer?: (exchange: WireExchange) => void): Promise<WireServer> {
  const server = await wireServer(answer);
  servers.push(server);
  return server;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const say = (status: number, body: string) => (exchange: WireExchange) =>
  exchange.head(status, { "content-type": "application/json" }).end(body);

describe("finding an Ollama behind /v1", () => {
  it.for(["/v1", "/v1/", "/V1"])("finds one behind %s by its version", async (suffix) => {
    const { url, exchanges } = await serve(say(200, '{"version":"0.33.0"}'));
    expect(await detectOllama(url + suffix, options)).toEqual({ answer: "ollama", baseUrl: url });
    expect(exchanges.map(({ path }) => path)).toEqual(["/api/version"]);
    expect(exchanges[0]?.headers.authorization).toBeUndefined();
  });

  it.for([
    [404, "not found"],
    [200, "<html>"],
    [200, '{"version":3}'],
    [302, ""],
  ] as const)("takes an answer of %s %s for another server", async ([status, body]) => {
    const { url } = await serve(say(status, body));
    expect(await detectOllama(`${url}/v1`, options)).toEqual({ answer: "other", baseUrl: `${url}/v1` });
  });

  it("asks nothing of an address without /v1", async () => {
    const { url, exchanges } = await serve();
    expect(await detectOllama(`${url}/api`, options)).toEqual({ answer: "other", baseUrl: `${url}/api` });
    expect(exchanges).toEqual([]);
  });

  it("tells that nobody answered, refused or silent, and leaves no timer behind", async () => {
    const gone = await wireServer();
    await gone.close();
    expect(await detectOllama(`${gone.url}/v1`, options)).toEqual({
      answer: "unreachable",
      baseUrl: gone.url,
    });
    const silent = await serve();
    const asked = detectOllama(`${silent.url}/v1`, options);
    const exchange = await silent.nth(0);
    await clock.advance(3000);
    expect(await asked).toEqual({ answer: "unreachable", baseUrl: silent.url });
    await exchange.brokenOff;
    expect(clock.pending).toBe(0);
  });

  it("throws the signal's reason, and nothing else", async () => {
    const server = await serve();
    const control = new AbortController();
    const asked = detectOllama(`${server.url}/v1`, { ...options, signal: control.signal });
    await server.nth(0);
    control.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });
});
