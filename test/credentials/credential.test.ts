import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Credential } from "../../src/credentials/credential.ts";

const KEY_A = "sk-live-AAAA1111bbbb2222";
const KEY_B = "sk-live-BBBB3333cccc4444";

describe("C4 a credential cannot be written down by accident", () => {
  const credential = new Credential("cloud", "env:CLOUD_KEY", KEY_A);

  it.each([
    ["JSON", JSON.stringify({ credential, list: [credential] })],
    ["inspect", inspect({ credential }, { depth: 9, showHidden: true, getters: true })],
    ["a template", `${String(credential)}`],
    ["its keys", JSON.stringify(Object.entries(credential))],
    ["a copy", JSON.stringify(Object.assign({}, credential))],
    ["structuredClone", JSON.stringify(structuredClone(Object.assign({}, credential)))],
    ["an error's cause", inspect(new Error("x", { cause: credential }), { depth: 9 })],
  ])("%s", (_, text) => {
    expect(text).not.toContain(KEY_A);
  });

  it("keeps the fingerprint, which tells two keys apart", () => {
    expect(JSON.stringify(credential)).toContain(credential.fingerprint);
    expect(new Credential("cloud", "x", KEY_B).fingerprint).not.toBe(credential.fingerprint);
  });
});
