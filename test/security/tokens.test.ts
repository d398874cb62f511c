// T02: what a wrong token can learn from how long its refusal takes. No clock is asked: what is counted is what the time
// goes into, the characters that a comparison looks at, which the hashes count themselves as they are looked at.

import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/base/ids.ts";
import { type KnownToken, TokenBook } from "../../src/http/token-book.ts";
import { callerWith, READ_TOKEN, TOKEN } from "../http/rig.ts";

const SECRETS = [TOKEN, READ_TOKEN, "ef".repeat(32)];
const GUESSES: Readonly<Record<string, string>> = {
  "nothing right": "0".repeat(64),
  "its first half": `${TOKEN.slice(0, 32)}${"0".repeat(32)}`,
  "all but its last character": `${TOKEN.slice(0, -1)}0`,
  "another length": TOKEN.slice(0, 10),
  "the last of them, but for a character": `${"ef".repeat(31)}e0`,
  "what cannot be one": "",
};

/** A text that counts how often one of its characters is looked at. */
function counted(text: string, looks: { count: number }): string {
  return {
    length: text.length,
    charCodeAt: (at: number) => {
      looks.count += 1;
      return text.charCodeAt(at);
    },
  } as unknown as string;
}

/** The first character that differs ends it, as `===` does. */
function naiveSame(secret: string, sent: string): boolean {
  for (let at = 0; at < secret.length; at += 1)
    if (secret.charCodeAt(at) !== sent.charCodeAt(at)) return false;
  return secret.length === sent.length;
}

describe("T02 the time of a refusal", () => {
  it("looks at every character of every token, whatever was guessed, and at hashes alone", async () => {
    const looks = { count: 0 };
    const known: readonly KnownToken[] = SECRETS.map((secret) => ({
      hash: counted(sha256(secret), looks),
      caller: callerWith("read"),
    }));
    const book = new TokenBook([], { known: () => Promise.resolve(known), revoked: () => null });
    const spent: Record<string, number> = {};
    for (const [what, guess] of Object.entries(GUESSES)) {
      looks.count = 0;
      expect(await book.callerOf(guess)).toBeNull();
      spent[what] = looks.count;
    }
    const { "what cannot be one": none, ...others } = spent;
    expect(none).toBe(0);
    expect(new Set(Object.values(others))).toEqual(new Set([2 * SECRETS.length * 64]));
    looks.count = 0;
    expect(await book.callerOf(TOKEN)).not.toBeNull();
    expect(looks.count).toBe(SECRETS.length * 64);
  });

  it("(control) a comparison that ends where it can tells how much of a guess was right", () => {
    const looks = { count: 0 };
    const spent = Object.values(GUESSES).map((guess) => {
      looks.count = 0;
      for (const secret of SECRETS) if (naiveSame(counted(secret, looks), guess)) break;
      return looks.count;
    });
    expect(new Set(spent).size).toBeGreaterThan(2);
    expect(Math.max(...spent) - Math.min(...spent)).toBeGreaterThan(30);
  });
});
