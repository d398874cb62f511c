import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProviderError } from "../../src/base/errors.ts";
import { lines, PushQueue } from "../../src/base/stream.ts";

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const item of items) seen.push(item);
  return seen;
}

describe("PushQueue", () => {
  test("hands over what was pushed, in order, before and while it is read", async () => {
    const queue = new PushQueue<number>(10);
    queue.push(1);
    const reading = all(queue);
    queue.push(2);
    await Promise.resolve();
    queue.push(3);
    queue.end();
    queue.push(4);
    expect(await reading).toEqual([1, 2, 3]);
  });

  test("B1 drops the oldest past its bound and tells", () => {
    const dropped: number[] = [];
    const queue = new PushQueue<number>(2, (item) => dropped.push(item));
    for (const item of [1, 2, 3, 4]) queue.push(item);
    expect(queue.size).toBe(2);
    expect(dropped).toEqual([1, 2]);
  });

  test("B2 gives its error after what was queued, once", async () => {
    const queue = new PushQueue<number>(5);
    queue.push(1);
    queue.end(new Error("broken"));
    queue.end();
    expect(await queue.next()).toEqual({ value: 1, done: false });
    await expect(queue.next()).rejects.toThrow("broken");
    expect(await queue.next()).toEqual({ value: undefined, done: true });
  });

  test("a reader that leaves ends the queue", async () => {
    const queue = new PushQueue<number>(5);
    queue.push(1);
    for await (const item of queue) {
      expect(item).toBe(1);
      break;
    }
    expect(queue.ended).toBe(true);
  });
});

describe("lines", () => {
  const options = {
    maxChars: 1_000,
    onTooLong: () => new ProviderError({ kind: "malformed", code: "line_too_long" }, "Too long."),
  };

  async function* cut(text: string, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
    const bytes = new TextEncoder().encode(text);
    const places = [...new Set(cuts.map((each) => each % (bytes.length + 1)))].toSorted((a, b) => a - b);
    let from = 0;
    for (const place of [...places, bytes.length]) {
      yield bytes.slice(from, place);
      from = place;
    }
  }

  test("cuts the same lines wherever the chunks end, inside a character too", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "grapheme", maxLength: 20 })),
        fc.array(fc.nat(200)),
        async (parts, cuts) => {
          const wanted = parts.map((part) => part.replace(/[\r\n]/g, "")).filter((part) => part !== "");
          const seen = await all(lines(cut(wanted.join("\n"), cuts), options));
          expect(seen).toEqual(wanted);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("drops carriage returns and keeps empty lines between", async () => {
    expect(await all(lines(cut("a\r\n\r\nb", []), options))).toEqual(["a", "", "b"]);
  });

  test("refuses a line past the bound, ended or not", async () => {
    const long = "x".repeat(1_001);
    await expect(all(lines(cut(`${long}\n`, [500]), options))).rejects.toMatchObject({
      code: "line_too_long",
    });
    await expect(all(lines(cut(long, [500]), options))).rejects.toMatchObject({ code: "line_too_long" });
  });
});
