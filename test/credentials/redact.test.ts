import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RedactingStream, redactor } from "../../src/credentials/redact.ts";

const SECRET = 'sk-live/A+b"c\\d=é99';
const redact = redactor([SECRET]);

const FORMS: readonly (readonly [string, string])[] = [
  ["plain", SECRET],
  ["base64", Buffer.from(SECRET).toString("base64")],
  ["base64 without padding", Buffer.from(SECRET).toString("base64").replace(/=+$/, "")],
  ["base64url", Buffer.from(SECRET).toString("base64url")],
  ["hex", Buffer.from(SECRET).toString("hex")],
  ["HEX", Buffer.from(SECRET).toString("hex").toUpperCase()],
  ["percent", encodeURIComponent(SECRET)],
  ["percent, lower", encodeURIComponent(SECRET).replace(/%../g, (code) => code.toLowerCase())],
  ["percent, every byte", [...Buffer.from(SECRET)].map((byte) => `%${byte.toString(16)}`).join("")],
  ["form", new URLSearchParams({ k: "sk-live with space" }).toString().slice(2)],
  ["JSON", JSON.stringify(SECRET).slice(1, -1)],
  ["JSON in JSON", JSON.stringify(JSON.stringify(SECRET)).slice(3, -3)],
  ["JSON with slashes escaped", JSON.stringify(SECRET).slice(1, -1).replaceAll("/", "\\/")],
];

describe("redactor", () => {
  it.each(FORMS)("takes out a secret as %s", (_, form) => {
    const both = redactor([SECRET, "sk-live with space"]);
    expect(both(`before ${form} after`)).toBe("before [redacted] after");
  });

  it("takes a secret out of a longer base64, wherever it begins in it", () => {
    for (const before of ["", "u", "us", "use"]) {
      const whole = Buffer.from(`${before}:${SECRET}:after`).toString("base64");
      const left = redact(whole);
      expect(left).toContain("[redacted]");
      const remains = left.split("[redacted]").map((part) => Buffer.from(part, "base64").toString("utf8"));
      expect(remains.join("")).not.toContain("live");
    }
  });

  it("takes out every one, the longer first where one holds another", () => {
    const many = redactor(["secret-1", "secret-1-more"]);
    expect(many("secret-1-more secret-1 secret-1")).toBe("[redacted] [redacted] [redacted]");
  });

  it("leaves other text alone, and short values, which stand in words", () => {
    expect(redact("nothing here: sk-live")).toBe("nothing here: sk-live");
    expect(redactor(["", "a", "abc12"])("abc12 a")).toBe("abc12 a");
    expect(redactor([])("x")).toBe("x");
  });

  it("takes special characters literally", () => {
    expect(redactor(["a.*b+(c)[d]$"])("a.*b+(c)[d]$ axxb")).toBe("[redacted] axxb");
  });
});

describe("RedactingStream", () => {
  it("R1 R2 gives what redactor gives, wherever the text is cut", () => {
    const secrets = ["secret-one", "secret-one-longer", "aabaabaab"];
    const pieces = fc.constantFrom(
      ...secrets,
      "sec",
      "secret-",
      "aab",
      "a",
      "b",
      " ",
      "x\n",
      "secret-one-lon",
    );
    const text = fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.array(fc.nat(200), { maxLength: 10 }), (whole, cuts) => {
        const stream = new RedactingStream(secrets);
        const places = [
          0,
          ...cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b),
          whole.length,
        ];
        let out = "";
        for (const [index, place] of places.slice(1).entries())
          out += stream.push(whole.slice(places[index], place));
        out += stream.end();
        expect(out).toBe(redactor(secrets)(whole));
      }),
      { numRuns: 500 },
    );
  });

  it("holds back no more than what could become a secret", () => {
    const stream = new RedactingStream(["secret-one"]);
    expect(stream.push("hello sec")).toBe("hello ");
    expect(stream.push("ond")).toBe("second");
    expect(stream.push("secret-one!")).toBe("[redacted]!");
    expect(stream.end()).toBe("");
  });
});
