// Deadlines on a clock that only the test moves, with real sockets held open; and what becomes of connections.

import { expect, it, vi } from "vitest";
import { settle } from "../../src/base/clock.ts";
import { collect, never, requestFor } from "./collect.ts";
import { providerAt } from "./dialect.ts";
import type { Bench } from "./wire-bench.ts";
import { END, failureOf } from "./wire-bench.ts";

export function deadlines({ dialect, serve }: Bench): void {
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

export function connections({ dialect, serve }: Bench): void {
  it("uses a connection again after a good end, although the body ends a little later", async () => {
    const server = await serve(async (exchange) => {
      exchange.head(200, { "content-type": dialect.contentType });
      await exchange.send(dialect.text("hi") + dialect.end(END));
    });
    const { provider } = providerAt(dialect, server.url);
    for (let nth = 0; nth < 3; nth++) {
      await collect(provider.generate(requestFor("m"), { signal: never() }));
      for (let turns = 0; turns < 20; turns++) await settle();
      (await server.nth(nth)).end();
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
