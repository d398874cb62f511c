import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { InvalidRequestError, LimitError, TroupeError } from "../../src/base/errors.ts";
import { serve } from "../../src/base/listen.ts";
import { PROBLEM_TYPE, toProblem } from "../../src/http/problem.ts";
import { keyHeader, Transport } from "../../src/http/transport.ts";

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

function made(fetch: Fetch) {
  const clock = new SimulatedClock();
  return {
    clock,
    transport: new Transport({ baseUrl: "http://troupe.test//", token: "secret", fetch, clock }),
  };
}

const failure = (work: Promise<unknown>): Promise<TroupeError> =>
  work.then(
    () => {
      throw new Error("Expected a failure.");
    },
    (thrown: TroupeError) => thrown,
  );

/** A server that never answers, but hears the abort. */
const silent: Fetch = (_url, init) =>
  new Promise((_resolve, reject) => {
    init.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
  });

describe("Transport", () => {
  it("sends the token, the words of the wire and only the queries that have a value", async () => {
    const sent: { url: string; init: RequestInit }[] = [];
    const { transport } = made(async (url, init) => {
      sent.push({ url, init });
      return Response.json({ task_id: "t", nested: [{ some_key: 1 }] });
    });
    const answer = await transport.json({
      method: "POST",
      path: "/v1/x",
      query: { a: "ä&b", b: undefined, c: 0 },
      body: { maxTurns: 1, absent: undefined },
    });
    expect(answer).toEqual({ taskId: "t", nested: [{ someKey: 1 }] });
    expect(sent[0]).toMatchObject({
      url: "http://troupe.test/v1/x?a=%C3%A4%26b&c=0",
      init: {
        body: '{"max_turns":1}',
        headers: { authorization: "Bearer secret", "content-type": "application/json" },
        redirect: "error",
        credentials: "omit",
      },
    });
  });

  it("P1 turns a problem document into its error", async () => {
    const limit = new LimitError("queue_full", "Full.", { details: { config_key: "scheduler.max_queued" } });
    const { transport } = made(async () =>
      Response.json(toProblem(limit, "r"), { status: 429, headers: { "content-type": PROBLEM_TYPE } }),
    );
    const error = await failure(transport.json({ path: "/" }));
    expect(error).toBeInstanceOf(LimitError);
    expect(error).toMatchObject({ code: "queue_full", details: limit.details });
  });

  it.each([
    ["a page", new Response("<h1>502</h1>", { status: 502 })],
    ["another API's error", Response.json({ error: "no" }, { status: 404 })],
    ["a page that says all is well", new Response("<h1>Welcome</h1>")],
  ])("P1 says that %s is no answer of a Troupe server", async (_what, response) => {
    const { transport } = made(async () => response);
    expect(await failure(transport.json({ path: "/" }))).toMatchObject({ code: "unexpected_response" });
  });

  it("P1 says that nobody listens, why, and what to do", async () => {
    const server = await serve(() => new Response(), { hostname: "127.0.0.1", port: 0 });
    await server.close();
    const transport = new Transport({ baseUrl: server.url, token: "t", fetch, clock: new SimulatedClock() });
    const error = await failure(transport.json({ path: "/" }));
    expect(error).toMatchObject({ kind: "config", code: "server_unreachable" });
    expect(error.message).toMatch(/ECONNREFUSED.*troupe serve/);
  });

  it("P1 takes a bare 408 of a connection that was never used for no answer at all", async () => {
    const { transport } = made(async () => new Response("", { status: 408 }));
    expect(await failure(transport.json({ path: "/v1/x" }))).toMatchObject({ code: "server_unreachable" });
  });

  it("gives up on a silent server after a minute and what it was asked to wait", async () => {
    const { transport, clock } = made(silent);
    const failed = failure(transport.json({ path: "/", waitMs: 30_000 }));
    let over = false;
    void failed.then(() => (over = true));
    await clock.advance(89_999);
    expect(over).toBe(false);
    await clock.advance(1);
    expect(await failed).toMatchObject({ code: "server_unreachable" });
    expect(clock.pending).toBe(0);
  });

  it("is cancelled by the caller's signal, before and during the request", async () => {
    const { transport, clock } = made(silent);
    const stop = new AbortController();
    const failed = failure(transport.json({ path: "/", signal: stop.signal }));
    stop.abort();
    expect(await failed).toMatchObject({ kind: "cancelled" });
    const late = made(async (_url, init) => {
      init.signal?.throwIfAborted();
      return Response.json({});
    });
    expect(await failure(late.transport.json({ path: "/", signal: stop.signal }))).toMatchObject({
      kind: "cancelled",
    });
    expect(clock.pending).toBe(0);
  });

  it("P2 follows no redirect with the token", async () => {
    const asked: (string | null)[] = [];
    const thief = await serve(
      (request) => {
        asked.push(request.headers.get("authorization"));
        return new Response("{}");
      },
      { hostname: "127.0.0.1", port: 0 },
    );
    const front = await serve(() => Response.redirect(`${thief.url}/`, 307), {
      hostname: "127.0.0.1",
      port: 0,
    });
    const transport = new Transport({ baseUrl: front.url, token: "t", fetch, clock: new SimulatedClock() });
    expect(await failure(transport.json({ path: "/v1/status" }))).toBeInstanceOf(TroupeError);
    expect(asked).toEqual([]);
    await Promise.all([front.close(), thief.close()]);
  });

  it("never shows the token in an error", async () => {
    const { transport } = made(async () => {
      throw new TypeError("fetch failed");
    });
    const error = await failure(transport.json({ path: "/" }));
    expect(JSON.stringify([error.message, error.details])).not.toContain("secret");
  });
});

describe("keyHeader", () => {
  it("holds what a header can hold, and refuses the rest", () => {
    expect([keyHeader(undefined), keyHeader("k")]).toEqual([{}, { "idempotency-key": "k" }]);
    for (const key of ["", "a b", "ключ", "x".repeat(256), "a\nb"]) {
      expect(() => keyHeader(key)).toThrow(InvalidRequestError);
    }
  });
});
