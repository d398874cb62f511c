import { expect, test } from "vitest";
import { ProviderError, type ProviderErrorKind } from "../../src/base/errors.ts";
import { Credential } from "../../src/credentials/credential.ts";
import { askWithKeys } from "../../src/runtime/key-questions.ts";

const KEYS = ["a", "b", "c"].map((name) => new Credential("cloud", `env:${name}`, `sk-${name}`));
const refusal = (kind: ProviderErrorKind): ProviderError =>
  new ProviderError({ kind, code: kind }, `got ${kind}`);

test.each(["auth", "quota", "rate_limited"] as const)(
  "what is %s with one key is asked with the next",
  async (kind) => {
    const asked = await askWithKeys(KEYS, async (key) => {
      if (key?.source !== "env:b") throw refusal(kind);
      return "yes";
    });
    expect(asked).toMatchObject({ answered: true, answer: "yes", key: KEYS[1] });
    expect(asked.refused).toEqual([
      { fingerprint: KEYS[0]?.fingerprint, source: "env:a", reason: `got ${kind}` },
    ]);
  },
);

test.each([refusal("network"), refusal("refused"), new TypeError("no")])(
  "what another key would not mend is asked once: %s",
  async (thrown) => {
    let times = 0;
    const asked = await askWithKeys(KEYS, async () => {
      times += 1;
      throw thrown;
    });
    expect([asked, times]).toEqual([{ answered: false, thrown, refused: [] }, 1]);
  },
);

test("where none is taken, all are told, and the first refusal is the answer", async () => {
  const first = refusal("auth");
  const asked = await askWithKeys(KEYS, async (key) => {
    throw key === KEYS[0] ? first : refusal("quota");
  });
  expect(asked).toMatchObject({ answered: false, thrown: first });
  expect(asked.refused.map(({ source }) => source)).toEqual(["env:a", "env:b", "env:c"]);
});

test("a server without keys is asked without", async () => {
  expect(await askWithKeys([null], async (key) => key)).toEqual({
    answered: true,
    answer: null,
    key: null,
    refused: [],
  });
});
