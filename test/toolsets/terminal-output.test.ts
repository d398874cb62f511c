import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CappedOutput, plainText } from "../../src/toolsets/terminal-output.ts";

const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("CappedOutput", () => {
  it("gives back what fits, and begins anew", () => {
    const output = new CappedOutput(100);
    output.write(encoded("one\n"));
    output.write(encoded("two\n"));
    expect(output.take()).toEqual({ text: "one\ntwo\n", truncated: false });
    expect(output.take()).toEqual({ text: "", truncated: false });
  });

  it("keeps the beginning and the end of what does not, and says how much is missing", () => {
    const output = new CappedOutput(40);
    for (let line = 0; line < 1000; line += 1)
      output.write(encoded(`line ${String(line).padStart(4, "0")}\n`));
    const { text, truncated } = output.take();
    expect(truncated).toBe(true);
    expect(text).toBe("line 0000\n\n… [9960 bytes left out] …\nline 0997\nline 0998\nline 0999\n");
  });

  it("U1 U2 keeps within the cap, in whole characters, however it is written", () => {
    const writes = fc.array(fc.string({ unit: "grapheme", maxLength: 30 }), { maxLength: 40 });
    fc.assert(
      fc.property(writes, fc.integer({ min: 16, max: 200 }), (texts, cap) => {
        const output = new CappedOutput(cap);
        for (const text of texts) output.write(encoded(text.toWellFormed()));
        const whole = texts.join("").toWellFormed();
        const { text, truncated } = output.take();
        expect(truncated).toBe(encoded(whole).length > cap);
        expect(truncated || text === plainText(whole)).toBe(true);
        expect(encoded(text).length).toBeLessThanOrEqual(cap + 60);
        expect(whole.includes("\ufffd") || !text.includes("\ufffd")).toBe(true);
      }),
    );
  });

  it("takes pieces that are larger than all of it", () => {
    const output = new CappedOutput(16);
    output.write(new Uint8Array(1_000_000).fill(97));
    output.write(encoded("end"));
    expect(output.take().text).toMatch(/^aaaa\n… \[999987 bytes left out\] …\naaaaaaaaaend$/);
  });
});

describe("plainText", () => {
  it.each([
    ["\x1b[31mred\x1b[0m", "red"],
    ["\x1b[2J\x1b[1;1Htop", "top"],
    ["\x1b]0;title\x07text", "text"],
    ["\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"],
    ["\x1b]52;c;ZXZpbA==\x07", ""],
    ["\x9b31mred", "red"],
    ["\x1b(Bplain\x1bc", "plain"],
    ["10%\r50%\r100%\ndone\r\n", "100%\ndone\n"],
    ["a\x00b\x07c\x08d\x7f", "abcd"],
    ["tab\tand\nline", "tab\tand\nline"],
    ["broken \x1b[", "broken "],
  ])("%j becomes %j", (text, plain) => {
    expect(plainText(text)).toBe(plain);
  });

  it("U2 leaves no control character, whatever comes, and takes no time over it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        // oxlint-disable-next-line no-control-regex -- what must not be left
        expect(plainText(text)).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
      }),
    );
    expect(plainText("\x1b]".repeat(100_000))).toBe("");
    expect(plainText(`${"a".repeat(200_000)}\r\rb`)).toBe("b");
  });
});
