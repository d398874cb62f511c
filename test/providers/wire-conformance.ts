// What only a provider on the wire can get wrong: chunk borders, lines too long, streams cut short, deadlines,
// connections that break, words of servers, and secrets. Raw servers say it, byte by byte.

import { inspect } from "node:util";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { settle } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import type { ProviderEvent, ProviderOptions } from "../../providers/provider.ts";
import { MAX_LINE_CHARS } from "../../providers/provider.ts";
import type { Collected } from "./collect.ts";
import { collect, never, requestFor } from "./collect.ts";
import type { Dialect } from "./dialect.ts";
import { providerAt } from "./dialect.ts";
import type { WireExchange, WireServer } from "./wire-server.ts";
import { wireServer } from "./wire-server.ts";

const SECRET = "sk-test-very-secret-0123456789";
const END = { reason: "stop", promptTokens: 3, outputTokens: 2 } as const;

type Answer = (exchange: WireExchange) => void | Promise<void>;

interface Bench {
  readonly dialect: Dialect;
  readonly serve: (answer?: Answer) => Promise<WireServer>;
  /** Serves the answer, generates once, and reads to the end. */
  readonly generate: (answer: Answer, options?: Partial<ProviderOptions>) => Promise<Collected>;
  /** Sends these bytes as a whole body of the dialect's type. */
  readonly body: (text: string) => Answer;
}

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

function failureOf(got: Collected): ProviderError {
  expect(got.error).toBeInstanceOf(ProviderError);
  expect(got.events.some((event) => event.type === "finished")).toBe(false);
  return got.error as ProviderError;
}

/** Neighbouring pieces of text joined: where a text is cut carries no meaning. */
function joined(events: readonly ProviderEvent[]): readonly unknown[] {
  const out: ProviderEvent[] = [];
  for (const event of events) {
    const last = out.at(-1);
    if (last?.type === "text" && event.type === "text") {
      out[out.length - 1] = { type: "text", text: last.text + event.text };
    } else out.push(event);
  }
  return out;
}

function chunks({ dialect, generate, body, serve }: Bench): void {
  it("gives the same events wherever the bytes are cut, inside a character too", async () => {
    const whole =
      dialect.thinking("hm 🤔") +
      dialect.text("héllo 世界 🎭🎭") +
      dialect.calls([{ id: "call_0123456789", name: "täg", arguments: { ключ: "значение 🎭" } }]) +
      dialect.end(END);
    const expected = joined((await generate(body(whole))).events);
    const bytes = new TextEncoder().encode(whole);
    let cuts: readonly number[] = [];
    const server = await serve(async (exchange) => {
      exchange.head(200, { "content-type": dialect.contentType });
      let from = 0;
      for (const at of [...cuts, bytes.length]) {
        if (at > from) await exchange.send(bytes.subarray(from, at));
        from = at;
      }
      exchange.end();
    });
    const { provider } = providerAt(dialect, server.url);
    const property = fc.asyncProperty(
      fc.uniqueArray(fc.nat({ max: bytes.length - 1 }), { maxLength: 60 }),
      async (places) => {
        cuts = places.sort((a, b) => a - b);
        const got = await collect(provider.generate(requestFor("m"), { signal: never() }));
        expect(got.error).toBeUndefined();
        expect(joined(got.events)).toEqual(expected);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it("takes a line of 10 MB whole", async () => {
    const text = "x".repeat(10_000_000);
    const got = await generate(body(dialect.text(text) + dialect.end(END)));
    expect(got.error).toBeUndefined();
    expect(got.text).toHaveLength(text.length);
  });

  it("refuses a line beyond the limit as malformed and closes the connection", async () => {
    let exchange: WireExchange | undefined;
    const got = await generate(async (each) => {
      exchange = each.head(200, { "content-type": dialect.contentType });
      await each.send(dialect.text("before"));
      const piece = "y".repeat(1_000_000);
      await each.send(dialect.text("").slice(0, 20));
      for (let sent = 0; sent <= MAX_LINE_CHARS && each.open; sent += piece.length) await each.send(piece);
    });
    expect(failureOf(got)).toMatchObject({ providerKind: "malformed", code: "line_too_long" });
    expect(got.text).toBe("before");
    await exchange?.brokenOff;
  });

  it("reads a stream without a last line break, with carriage returns and with empty lines", async () => {
    const text = (dialect.text("a") + dialect.text("b") + dialect.end(END)).trimEnd();
    const got = await generate(body(text.replaceAll("\n", "\r\n").replace("\r\n", "\r\n\r\n")));
    expect(got.error).toBeUndefined();
    expect(got.text).toBe("ab");
  });
}

function broken({ dialect, generate, body }: Bench): void {
  it("calls a line that is no JSON malformed, after what came before it", async () => {
    const got = await generate(body(dialect.text("good") + dialect.garbage + dialect.text("lost")));
    expect(failureOf(got).providerKind).toBe("malformed");
    expect(got.text).toBe("good");
  });

  it("calls a body that ended without its end truncated", async () => {
    const got = await generate(body(dialect.text("half")));
    expect(failureOf(got)).toMatchObject({ providerKind: "malformed", code: "truncated" });
    expect(got.text).toBe("half");
  });

  it("calls a body that ended inside a line truncated", async () => {
    const cut = dialect.text("never seen");
    const got = await generate(body(dialect.text("half") + cut.slice(0, cut.indexOf("never"))));
    expect(failureOf(got)).toMatchObject({ providerKind: "malformed", code: "truncated" });
    expect(got.text).toBe("half");
  });

  it("calls an empty body truncated", async () => {
    expect(failureOf(await generate(body("")))).toMatchObject({ code: "truncated" });
  });

  it("calls a connection that breaks in mid-stream lost", async () => {
    const got = await generate(async (exchange) => {
      exchange.head(200, { "content-type": dialect.contentType });
      await exchange.send(dialect.text("half"));
      exchange.break();
    });
    expect(failureOf(got)).toMatchObject({ providerKind: "network", code: "connection_lost" });
    expect(got.text).toBe("half");
  });

  it("calls a connection that breaks before the answer lost", async () => {
    const got = await generate((exchange) => exchange.break());
    expect(failureOf(got)).toMatchObject({ providerKind: "network", code: "connection_lost" });
    expect(got.events).toEqual([]);
  });

  it("says what to do when nobody listens", async () => {
    const server = await wireServer();
    const { provider } = providerAt(dialect, server.url);
    await server.close();
    const got = await collect(provider.generate(requestFor("m"), { signal: never() }));
    expect(failureOf(got)).toMatchObject({ providerKind: "network", code: "unreachable" });
    expect((got.error as Error).message).toMatch(/ECONNREFUSED.*base_url/);
    await expect(provider.server(never())).rejects.toMatchObject({ code: "unreachable" });
  });

  it("tells an error inside the stream by what it says", async () => {
    const got = await generate(body(dialect.text("half") + dialect.error("CUDA error: out of memory")));
    expect(failureOf(got)).toMatchObject({ providerKind: "overloaded", code: "out_of_memory" });
    expect(got.text).toBe("half");
    const other = await generate(body(dialect.error("the runner has gone")));
    expect(failureOf(other)).toMatchObject({ providerKind: "network", code: "server_error" });
  });

  it("does not take a page of HTML for an answer", async () => {
    const page = (exchange: WireExchange): void =>
      exchange.head(200, { "content-type": "text/html" }).end("<html>\n<p>Welcome to the proxy\n</html>\n");
    expect(failureOf(await generate(page)).providerKind).toBe("malformed");
  });
}

function deadlines({ dialect, serve }: Bench): void {
  const limits = { connectMs: 1000, firstByteMs: 2000, idleMs: 3000 };

  it("gives up when no connection comes in time", async () => {
    const fetch = Object.assign(() => new Promise<Response>(() => {}), { reportsConnect: true });
    const { provider, clock } = providerAt(dialect, "http://127.0.0.1:9999", { fetch, deadlines: limits });
    const running = collect(provider.generate(requestFor("m"), { signal: never() }));
    await clock.advance(0);
    while (clock.pending === 0) await settle();
    await clock.advance(999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(failureOf(await running)).toMatchObject({ providerKind: "timeout", code: "connect_timeout" });
  });

  it("gives up when the first byte does not come in time, and closes the connection", async () => {
    const server = await serve();
    const { provider, clock } = providerAt(dialect, server.url, { deadlines: limits });
    const running = collect(provider.generate(requestFor("m"), { signal: never() }));
    const exchange = await server.nth(0);
    await clock.advance(1999);
    expect(exchange.open).toBe(true);
    await clock.advance(1);
    expect(failureOf(await running)).toMatchObject({ providerKind: "timeout", code: "first_byte_timeout" });
    await exchange.brokenOff;
    expect(clock.pending).toBe(0);
  });

  it("counts headers without a body as no first byte", async () => {
    const server = await serve((exchange) => {
      exchange.head(200, { "content-type": dialect.contentType });
    });
    const { provider, clock } = providerAt(dialect, server.url, { deadlines: limits });
    const events: string[] = [];
    const running = collect(provider.generate(requestFor("m"), { signal: never() }), (event) =>
      events.push(event.type),
    );
    while (events.length === 0) await settle();
    await clock.advance(1999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(failureOf(await running)).toMatchObject({ code: "first_byte_timeout" });
    expect(events).toEqual(["started"]);
  });

  it("gives up when the next chunk does not come in time, and counts anew after each", async () => {
    const server = await serve(async (exchange) => {
      exchange.head(200, { "content-type": dialect.contentType });
      await exchange.send(dialect.text("one"));
    });
    const { provider, clock } = providerAt(dialect, server.url, { deadlines: limits });
    let texts = 0;
    const running = collect(provider.generate(requestFor("m"), { signal: never() }), (event) => {
      if (event.type === "text") texts++;
    });
    const exchange = await server.nth(0);
    while (texts < 1) await settle();
    await clock.advance(2999);
    await exchange.send(dialect.text("two"));
    while (texts < 2) await settle();
    await clock.advance(2999);
    expect(exchange.open).toBe(true);
    await clock.advance(1);
    const got = await running;
    expect(failureOf(got)).toMatchObject({ providerKind: "timeout", code: "idle_timeout" });
    expect(got.text).toBe("onetwo");
    await exchange.brokenOff;
  });

  it("X4 does not count the time that the reader takes", async () => {
    const server = await serve(async (exchange) => {
      exchange.head(200, { "content-type": dialect.contentType });
      for (const text of ["one", "two", "three"]) await exchange.send(dialect.text(text));
      exchange.end(dialect.end(END));
    });
    const { provider, clock } = providerAt(dialect, server.url, { deadlines: limits });
    const seen: string[] = [];
    for await (const event of provider.generate(requestFor("m"), { signal: never() })) {
      seen.push(event.type);
      await clock.advance(60_000);
    }
    expect(seen).toEqual(["started", "text", "text", "text", "finished"]);
  });

  it("has no deadline where the limit is 0", async () => {
    const server = await serve();
    const none = { connectMs: 0, firstByteMs: 0, idleMs: 0 };
    const { provider, clock } = providerAt(dialect, server.url, { deadlines: none });
    const control = new AbortController();
    const running = collect(provider.generate(requestFor("m"), { signal: control.signal }));
    await server.nth(0);
    expect(clock.pending).toBe(0);
    control.abort(new Error("done with it"));
    expect((await running).error).toEqual(new Error("done with it"));
  });
}

function refusals({ generate }: Bench): void {
  const refuse =
    (status: number, headers: Record<string, string>, body = "{}"): Answer =>
    (exchange) =>
      exchange.head(status, { "content-type": "application/json", ...headers }).end(body);

  it.for([
    { name: "seconds", headers: { "retry-after": "7" }, ms: 7000 },
    { name: "milliseconds, which win", headers: { "retry-after": "7", "retry-after-ms": "1250" }, ms: 1250 },
    // The simulated clock begins on 2023-11-14 at 22:13:20.
    { name: "a date", headers: { "retry-after": "Tue, 14 Nov 2023 22:13:50 GMT" }, ms: 30_000 },
    { name: "a date long past", headers: { "retry-after": "Tue, 14 Nov 2000 22:13:50 GMT" }, ms: 0 },
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

function connections({ dialect, serve }: Bench): void {
  it("uses a connection again after a good end", async () => {
    const server = await serve(async (exchange) => {
      exchange.head(200, { "content-type": dialect.contentType });
      await exchange.send(dialect.text("hi") + dialect.end(END));
      exchange.end();
    });
    const { provider } = providerAt(dialect, server.url);
    for (let nth = 0; nth < 3; nth++) {
      await collect(provider.generate(requestFor("m"), { signal: never() }));
      for (let turns = 0; turns < 20; turns++) await settle();
    }
    expect(new Set(server.exchanges.map((exchange) => exchange.clientPort)).size).toBe(1);
  });

  it("closes a connection whose server does not end the body after the end", async () => {
    const server = await serve(async (exchange) => {
      exchange.head(200, { "content-type": dialect.contentType });
      await exchange.send(dialect.text("hi") + dialect.end(END));
    });
    const { provider, clock } = providerAt(dialect, server.url);
    const got = await collect(provider.generate(requestFor("m"), { signal: never() }));
    expect(got.events.at(-1)?.type).toBe("finished");
    await clock.advance(1000);
    await (
      await server.nth(0)
    ).brokenOff;
    expect(clock.pending).toBe(0);
  });

  it("P1 closes the connection although nobody asks for the next event", async () => {
    const server = await serve(async (exchange) => {
      exchange.head(200, { "content-type": dialect.contentType });
      await exchange.send(dialect.text("so far"));
    });
    const { provider } = providerAt(dialect, server.url);
    const control = new AbortController();
    const events = provider.generate(requestFor("m"), { signal: control.signal })[Symbol.asyncIterator]();
    await events.next();
    control.abort(new Error("gone"));
    await (
      await server.nth(0)
    ).brokenOff;
    await expect(events.next()).rejects.toThrow("gone");
  });

  it("holds no listener on the caller's signal after the end", async () => {
    const server = await serve((exchange) =>
      exchange.head(200, { "content-type": dialect.contentType }).end(dialect.end(END)),
    );
    const { provider } = providerAt(dialect, server.url);
    const { signal } = new AbortController();
    let held = 0;
    const add = vi.spyOn(signal, "addEventListener").mockImplementation(() => void held++);
    const remove = vi.spyOn(signal, "removeEventListener").mockImplementation(() => void held--);
    await collect(provider.generate(requestFor("m"), { signal }));
    expect(add).toHaveBeenCalled();
    expect(remove).toHaveBeenCalled();
    expect(held).toBe(0);
  });
}
