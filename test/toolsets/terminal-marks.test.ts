import fc from "fast-check";
import { expect, it } from "vitest";
import { MarkedStream, type Mark } from "../../src/toolsets/terminal-marks.ts";

const WORD = "abc123";
const mark = (...fields: readonly string[]): string => `\x1e${WORD}\x1f${fields.join("\x1f")}\x1e`;

function taken(pieces: readonly Uint8Array[]): { readonly output: string; readonly marks: readonly Mark[] } {
  const bytes: number[] = [];
  const marks: Mark[] = [];
  const stream = new MarkedStream(WORD, {
    output: (piece) => bytes.push(...piece),
    mark: (each) => marks.push(each),
  });
  for (const piece of pieces) stream.write(piece);
  return { output: new TextDecoder().decode(new Uint8Array(bytes)), marks };
}

const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);

it("takes marks out of the output, in order", () => {
  const { output, marks } = taken([encoded(`one${mark("done", "0", "/a")}two${mark("done", "7", "/b c")}`)]);
  expect(output).toBe("onetwo");
  expect(marks).toEqual([
    { kind: "done", fields: ["0", "/a"] },
    { kind: "done", fields: ["7", "/b c"] },
  ]);
});

it("A1 loses and doubles nothing, however the pieces are cut", () => {
  const text = fc.array(
    fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom("\x1e", "\x1eab", `\x1e${WORD}`, "\x1f", "\x1e\x1e"),
      fc.constant(mark("done", "1", "/x")),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(text, fc.array(fc.nat(40), { maxLength: 20 }), (parts, cuts) => {
      const whole = encoded(`${parts.join("")}.`);
      const pieces: Uint8Array[] = [];
      let at = 0;
      for (const cut of cuts) pieces.push(whole.subarray(at, (at += cut)));
      pieces.push(whole.subarray(at));
      expect(taken(pieces)).toEqual(taken([whole]));
      const { output, marks } = taken([whole]);
      const written = parts.filter((part) => part === mark("done", "1", "/x"));
      // A mark that a command begins itself takes what follows it along.
      const isPlain =
        !parts.some((part) => part.endsWith("\x1e") && part.length < 3) && !parts.includes(`\x1e${WORD}`);
      if (!isPlain) return;
      expect(marks.length).toBe(written.length);
      expect(output).not.toContain(mark("done", "1", "/x"));
    }),
  );
});

it("A2 holds nothing back for a mark that never ends", () => {
  const long = `\x1e${WORD}\x1f${"x".repeat(20_000)}`;
  expect(taken([encoded(long)]).output).toBe(long);
});
