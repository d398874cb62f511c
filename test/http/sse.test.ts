import { describe, expect, it } from "vitest";
import fc from "fast-check";
import {
  chunksOf,
  formatComment,
  formatMessage,
  parseMessages,
  type SseMessage,
} from "../../src/http/sse.ts";

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    yield bytes.slice(at, at + size);
    at += size;
  }
}

async function parse(text: string, sizes: readonly number[] = [7]): Promise<SseMessage[]> {
  const messages: SseMessage[] = [];
  for await (const message of parseMessages(cut(new TextEncoder().encode(text), sizes), () => {})) {
    messages.push(message);
  }
  return messages;
}

describe("server-sent events", () => {
  it("come back whole, wherever the chunks are cut", async () => {
    const message = fc.record(
      {
        event: fc.stringMatching(/^[a-z.]{1,12}$/),
        data: fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text)),
        id: fc.nat().map(String),
      },
      { requiredKeys: ["event", "data"] },
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(message), sizes, async (messages, cuts) => {
        const text = messages.map((each) => formatMessage(each) + formatComment("keep-alive")).join("");
        expect(await parse(text, cuts)).toEqual(messages);
      }),
      { numRuns: 60 },
    );
  });

  it("cannot be forged by line breaks in any field", async () => {
    const text = formatMessage({ event: "a\nevent: b", data: "1\r\n\r\nid: 666\rdata: 2", id: "3\n\nid: 4" });
    expect(await parse(text)).toEqual([
      { event: "a event: b", data: "1\n\nid: 666\ndata: 2", id: "3  id: 4" },
    ]);
    expect(await parse(formatComment("x\n\ndata: forged\n\n"))).toEqual([]);
  });

  it("are read like a browser reads them", async () => {
    expect(await parse("data\n\n")).toEqual([{ event: "message", data: "" }]);
    expect(await parse("data:a\r\ndata:  b\r\n\r\n")).toEqual([{ event: "message", data: "a\n b" }]);
    expect(await parse("event: x\n\nretry: 10\nfoo: bar\n: hi\n\n")).toEqual([]);
    expect(await parse("id: 1\ndata: a\n\ndata: b\n\n")).toEqual([
      { event: "message", data: "a", id: "1" },
      { event: "message", data: "b" },
    ]);
    expect(await parse("data: unfinished\n")).toEqual([]);
  });

  it("show every line as life, comments too", async () => {
    let lines = 0;
    const text = ": one\n\n: two\n\n";
    const messages = parseMessages(cut(new TextEncoder().encode(text), [3]), () => (lines += 1));
    expect([(await messages.next()).done, lines]).toEqual([true, 4]);
  });

  it("cancel the body when the reader leaves early", async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array([1])),
      cancel() {
        cancelled = true;
      },
    });
    for await (const chunk of chunksOf(body)) if (chunk.length > 0) break;
    expect(cancelled).toBe(true);
  });
});
