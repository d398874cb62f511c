// Streams as bytes: where they are cut, how long a line may be, and how they break.

import fc from "fast-check";
import { expect, it } from "vitest";
import type { ProviderEvent } from "../../providers/provider.ts";
import { MAX_LINE_CHARS } from "../../providers/provider.ts";
import { collect, never, requestFor } from "./collect.ts";
import { providerAt } from "./dialect.ts";
import type { Bench } from "./wire-bench.ts";
import { END, failureOf } from "./wire-bench.ts";
import type { WireExchange } from "./wire-server.ts";
import { wireServer } from "./wire-server.ts";

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

export function chunks({ dialect, generate, body, serve }: Bench): void {
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

export function broken({ dialect, generate, body }: Bench): void {
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
