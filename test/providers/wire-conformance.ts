// What only a provider on the wire can get wrong: chunk borders, lines too long, streams cut short, deadlines,
// connections that break, words of servers, and secrets. Raw servers say it, byte by byte.

import { inspect } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ProviderError } from "../../src/base/errors.ts";
import { collect, never, requestFor } from "./collect.ts";
import type { Dialect } from "./dialect.ts";
import { providerAt } from "./dialect.ts";
import type { Answer, Bench } from "./wire-bench.ts";
import { END, failureOf } from "./wire-bench.ts";
import { connections, deadlines } from "./wire-deadlines.ts";
import type { WireExchange, WireServer } from "./wire-server.ts";
import { wireServer } from "./wire-server.ts";
import { broken, chunks } from "./wire-streams.ts";

/** When the simulated clock begins. */
const NOW = "Tue, 14 Nov 2023 22:13:20 GMT";
const SECRET = "sk-test-very-secret-0123456789";

export function wireConformance(dialect: Dialect): void {
  describe(`${dialect.name} on the wire`, () => {
    const servers: WireServer[] = [];
    const serve: Bench["serve"] = async (answer) => {
      const server = await wireServer(answer);
      servers.push(server);
      return server;
    };
    afterEach(async () => {
      vi.unstubAllEnvs();
      for (const server of servers.splice(0)) await server.close();
    });
    const bench: Bench = {
      dialect,
      serve,
      generate: async (answer, options) => {
        const { provider } = providerAt(dialect, (await serve(answer)).url, options);
        return collect(provider.generate(requestFor("m"), { signal: never() }));
      },
      body: (text) => (exchange) => exchange.head(200, { "content-type": dialect.contentType }).end(text),
    };
    chunks(bench);
    broken(bench);
    deadlines(bench);
    refusals(bench);
    secrets(bench);
    connections(bench);
  });
}

/** Neighbouring pieces of text joined: where a text is cut carries no meaning. */

function refusals({ generate }: Bench): void {
  const refuse =
    (status: number, headers: Record<string, string>, body = "{}"): Answer =>
    (exchange) =>
      exchange.head(status, { "content-type": "application/json", ...headers }).end(body);

  it.for([
    { name: "seconds", headers: { "retry-after": "7" }, ms: 7000 },
    { name: "milliseconds, which win", headers: { "retry-after": "7", "retry-after-ms": "1250" }, ms: 1250 },
    { name: "a date", headers: { "retry-after": "Tue, 14 Nov 2023 22:13:50 GMT", date: NOW }, ms: 30_000 },
    {
      name: "a date of a clock that is wrong",
      headers: { "retry-after": "Sat, 01 Jan 2000 00:00:09 GMT", date: "Sat, 01 Jan 2000 00:00:00 GMT" },
      ms: 9_000,
    },
    { name: "a date long past", headers: { "retry-after": "Tue, 14 Nov 2000 22:13:50 GMT" }, ms: undefined },
    { name: "nothing readable", headers: { "retry-after": "soon" }, ms: undefined },
  ])("reads how long to wait from $name", async ({ headers, ms }) => {
    const error = failureOf(await generate(refuse(429, { ...headers })));
    expect(error).toMatchObject({ providerKind: "rate_limited", status: 429 });
    expect(error.retryAfterMs).toBe(ms);
  });

  it("does not follow a redirect with the conversation in hand", async () => {
    const error = failureOf(await generate(refuse(307, { location: "http://127.0.0.1:1/elsewhere" })));
    expect(error).toMatchObject({ providerKind: "refused", code: "redirected" });
  });

  it("quotes a plain-text refusal, and only its beginning", async () => {
    const page = (exchange: WireExchange): void =>
      exchange.head(502, { "content-type": "text/html" }).end(`Bad   gateway\n${"!".repeat(100_000)}`);
    const error = failureOf(await generate(page));
    expect(error).toMatchObject({ providerKind: "network", code: "server_error", status: 502 });
    expect(error.message).toContain("Bad gateway !!!");
    expect(error.message.length).toBeLessThan(1000);
  });

  it("keeps the status when the refusal's body breaks off", async () => {
    const error = failureOf(
      await generate(async (exchange) => {
        exchange.head(401, { "content-type": "application/json", "content-length": "500" });
        await exchange.send('{"error": "no');
        exchange.break();
      }),
    );
    expect(error).toMatchObject({ providerKind: "auth", status: 401 });
  });
}

function secrets({ dialect, generate, serve, body }: Bench): void {
  it("P4 sends the key in its header alone, and keeps it out of every error", async () => {
    const echo = JSON.stringify({ error: `Bad key Bearer ${SECRET} given` });
    const answers: readonly Answer[] = [
      (exchange) => exchange.head(401, { "content-type": "application/json", "x-echo": SECRET }).end(echo),
      (exchange) => exchange.head(500, { "content-type": "text/plain" }).end(`Bearer ${SECRET}`),
      (exchange) => exchange.head(302, { location: `http://127.0.0.1:1/?key=${SECRET}` }).end(),
      body(dialect.error(`key ${SECRET}`)),
      body(`${SECRET}\n`),
      (exchange) => exchange.break(),
    ];
    for (const answer of answers) {
      const { error } = await generate(answer, { apiKey: SECRET });
      expect(error).toBeInstanceOf(ProviderError);
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(SECRET);
      expect(JSON.stringify(error)).not.toContain(SECRET);
    }
    const server = await serve(body(dialect.end(END)));
    const { provider } = providerAt(dialect, server.url, { apiKey: SECRET, headers: { "x-team": "blue" } });
    await collect(provider.generate(requestFor("m"), { signal: never() }));
    const { headers, path, body: sent } = await server.nth(0);
    expect(headers).toMatchObject({ authorization: `Bearer ${SECRET}`, "x-team": "blue" });
    expect(JSON.stringify({ path, sent })).not.toContain(SECRET);
    expect(inspect(provider, { depth: 20, showHidden: true })).not.toContain(SECRET);
  });

  it("P4 sends no key that only the environment holds", async () => {
    vi.stubEnv("OPENAI_API_KEY", SECRET);
    vi.stubEnv("OLLAMA_API_KEY", SECRET);
    vi.stubEnv("OPENAI_ORG_ID", "org-env");
    vi.stubEnv("OPENAI_CUSTOM_HEADERS", "x-env: yes");
    const server = await serve(body(dialect.end(END)));
    const { provider } = providerAt(dialect, server.url);
    await collect(provider.generate(requestFor("m"), { signal: never() }));
    const { headers } = await server.nth(0);
    expect(headers.authorization).toBeUndefined();
    expect(JSON.stringify(headers)).not.toMatch(/sk-test|org-env|x-env/);
  });
}
