// The table of the pool, row by row, with the bodies and headers that clouds send; and what it is for: of five keys,
// one dead, one limited, one without money, every request that can be served is served.

import { http, HttpResponse } from "msw";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ANTHROPIC, cloudOf, good, GROQ, OLLAMA, OPENAI, secretOf, server } from "./key-cloud.ts";
import { KEY_REFUSED, LIMITED, MONEY_GONE, openai } from "./key-table.ts";
import { IN_THE_STREAM, NOT_THE_KEY } from "./key-table-requests.ts";

beforeAll(() => server.listen());
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const TABLE = [...KEY_REFUSED, ...MONEY_GONE, ...LIMITED, ...NOT_THE_KEY, ...IN_THE_STREAM];

describe("what clouds say", () => {
  it.each(TABLE)("$name", async ({ cloud, answer, tried, state, backInS, code }) => {
    const made = cloudOf({ cloud, keys: [[answer, good(cloud)], []] });
    const came = await made.failure();
    expect(typeof came === "string" ? came : came.code).toBe(code ?? "ok");
    expect(made.tried).toEqual(tried);
    expect(made.states()).toEqual([state, "ready"]);
    expect(made.backInS()).toBe(backInS ?? null);
    expect(made.rotations.map(({ from, to }) => [from, to])).toEqual(
      tried.length > 1 ? [made.shown().map(({ fingerprint }) => fingerprint)] : [],
    );
  });

  it("an answer begins once, whichever key gives it", async () => {
    const made = cloudOf({ cloud: OPENAI, keys: [[{ status: 401 }], []] });
    const caller = { conversation: "c", deadlineLeftMs: () => null, rotated: () => {}, wake: () => true };
    const provider = made.pool.for("cloud", caller);
    const request = { model: "m", messages: [], tools: [], maxOutputTokens: 16 };
    const types: string[] = [];
    for await (const { type } of provider.generate(request, { signal: new AbortController().signal }))
      types.push(type);
    expect(types).toEqual(["started", "text", "finished"]);
    expect(made.tried).toEqual([0, 1]);
  });

  it("an overload holds for all keys, and a full queue for none", async () => {
    const overloaded = cloudOf({ cloud: ANTHROPIC, keys: [[{ status: 529 }], []] });
    await overloaded.failure();
    expect(await overloaded.failure("other")).toMatchObject({ code: "keys_cooling", retryAfterMs: 15_000 });
    const full = cloudOf({ cloud: OLLAMA, keys: [[{ status: 503 }, good(OLLAMA)]] });
    await full.failure();
    expect(await full.failure()).toBe("ok");
  });

  it("three failures in a row open the breaker, and one request closes it", async () => {
    const sick = { status: 408 };
    const made = cloudOf({ cloud: OPENAI, keys: [[sick, sick, sick, good(OPENAI)]] });
    for (let nth = 0; nth < 3; nth++) expect(await made.failure()).toMatchObject({ code: "server_timeout" });
    expect(await made.failure()).toMatchObject({ code: "keys_cooling", retryAfterMs: 10_000 });
    await made.clock.advance(10_000);
    expect(await made.failure()).toBe("ok");
    expect(made.tried).toHaveLength(4);
  });

  it("a limit that is used up is not run into: the next request takes the next key", async () => {
    const headers = {
      "x-ratelimit-limit-requests": "30",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "1m0s",
    };
    const made = cloudOf({ cloud: GROQ, keys: [[good(GROQ, headers)], []] });
    expect([await made.failure(), await made.failure(), await made.failure()]).toEqual(["ok", "ok", "ok"]);
    expect(made.tried).toEqual([0, 1, 1]);
    await made.clock.advance(60_000);
  });

  it("keys of one account share its limits, and no others", async () => {
    const limited = { status: 429, headers: { "retry-after": "30" } };
    const about = [{ account: "org" }, { account: "org" }, {}];
    const made = cloudOf({ cloud: OPENAI, keys: [[limited], [], []], about });
    expect(await made.failure()).toBe("ok");
    expect(made.tried).toEqual([0, 2]);
  });
});

describe("five keys: dead, limited, without money, and two that are well", () => {
  const dead = { status: 401, body: openai("This key was revoked") };
  const limited = { status: 429, headers: { "retry-after": "30" }, body: openai("Slow down") };
  const broke = { status: 402, body: openai("Pay") };

  it.each(["least_in_flight", "fill_first", "round_robin", "weighted", "headroom"])(
    "%s serves every request in order, and asks each bad key once",
    async (strategy) => {
      const keys = [[dead], [limited, good(OPENAI)], [broke], [], []];
      const made = cloudOf({ cloud: OPENAI, keys, config: { key_strategy: strategy } });
      for (let nth = 0; nth < 20; nth++) expect(await made.failure(`task${nth}`)).toBe("ok");
      for (const bad of [0, 1, 2]) expect(made.tried.filter((each) => each === bad).length).toBeLessThan(2);
      expect(made.tried).toHaveLength(20 + made.rotations.length);
      const served = made.tried.length;
      await made.clock.advance(30_000);
      for (let nth = 0; nth < 20; nth++) await made.failure(`later${nth}`);
      // The limited one is back in time; the others stay where they are.
      expect(made.tried.slice(served)).not.toContain(0);
      expect(made.tried.slice(served)).not.toContain(2);
    },
  );

  it("serves many at once, none of them failing", async () => {
    const keys = [[dead], [limited], [broke], [], []];
    const made = cloudOf({ cloud: OPENAI, keys, config: { key_strategy: "least_in_flight" } });
    const all = await Promise.all(Array.from({ length: 20 }, (_, nth) => made.failure(`task${nth}`)));
    expect(all).toEqual(Array.from({ length: 20 }, () => "ok"));
    expect(made.states()).toEqual(["dead", "ready", "exhausted", "ready", "ready"]);
    expect(made.shown().map(({ inFlight }) => inFlight)).toEqual([0, 0, 0, 0, 0]);
  });
});

it("tells no key to anybody, whatever a cloud repeats of it", async () => {
  const echo = (nth: number) => ({
    status: 401,
    body: openai(
      `Incorrect key ${secretOf(nth)}, ${encodeURIComponent(secretOf(nth))}, ${Buffer.from(secretOf(nth)).toString("base64")}`,
    ),
  });
  const made = cloudOf({ cloud: OPENAI, keys: [[echo(0)], [echo(1)], [echo(2)]] });
  const errors = [await made.failure(), await made.failure()];
  const told = JSON.stringify([
    errors.map(String),
    errors,
    made.rotations,
    made.shown(),
    made.desk.windowOf("cloud")?.pool.records(),
  ]);
  expect(made.tried).toEqual([0, 1, 2]);
  expect(told).not.toMatch(/sk-live-secret|key\+\d|key%2B|0123456789abcdef/);
  for (const nth of [0, 1, 2]) {
    expect(told).not.toContain(Buffer.from(secretOf(nth)).toString("base64").slice(4, 40));
  }
});

it("asks what is no generation with a key that is well, whatever it asked with before", async () => {
  const made = cloudOf({ cloud: OPENAI, keys: [[{ status: 401 }], []] });
  const asked: (string | null)[] = [];
  server.use(
    http.get(`${OPENAI.baseUrl}/models`, ({ request }) => {
      asked.push(request.headers.get("authorization"));
      return HttpResponse.json({ data: [] });
    }),
  );
  const provider = made.pool.all().get("cloud");
  const { signal } = new AbortController();
  await provider?.models(signal);
  await made.failure();
  await provider?.models(signal);
  expect(asked).toEqual([`Bearer ${secretOf(0)}`, `Bearer ${secretOf(1)}`]);
});

it("leaves a provider without keys as it is", () => {
  const made = cloudOf({ cloud: OPENAI, keys: [[]] });
  expect(made.pool.of("cloud").type).toBe("openai");
  expect(made.shown()).toHaveLength(1);
});
