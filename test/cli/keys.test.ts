import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import { keyTable } from "../../src/cli/keys.ts";
import { planProviders } from "../../src/config/plan.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import type { KeyView } from "../../src/core/box-api.ts";
import { Credentials } from "../../src/credentials/credentials.ts";
import { KeyDesk } from "../../src/runtime/key-desk.ts";
import { runLine } from "./scripted-terminal.ts";
import { serveScripted, type ServedRig } from "./served.ts";

const ENV = { A: "sk-live-AAAA1111bbbb2222", B: "sk-live-CCCC3333dddd4444" };

/** The rig's only provider is called `gpu`. */
function deskOf(): KeyDesk {
  const gpu = {
    type: "openai",
    base_url: "https://cloud.example/v1",
    api_keys: ["env:A", { key: "env:B", concurrency: 3 }, "env:MISSING"],
  };
  const { plans } = planProviders(configSchema.parse({ providers: { gpu } }), ENV);
  const credentials = new Credentials({ env: ENV, sources: plans });
  return new KeyDesk({ plans, credentials, clock: systemClock, random: { next: () => 0 } });
}

const desk = deskOf();
const fingerprints = desk.shown("gpu").map(({ fingerprint }) => fingerprint as string);
let served: ServedRig;
beforeAll(async () => {
  served = await serveScripted({}, undefined, { keys: desk });
});
afterAll(() => served.close());

async function line(...args: string[]) {
  const terminal = served.terminal();
  const code = await runLine(args, terminal);
  return { code, out: terminal.out, err: terminal.err };
}

describe("troupe keys", () => {
  test("shows every key by fingerprint and source, and the same as JSON", async () => {
    const people = await line("keys");
    expect(people.code).toBe(0);
    const rows = people.out.trimEnd().split("\n");
    expect(rows[0]).toMatch(/^PROVIDER +KEY +SOURCE +STATE +BACK +IN FLIGHT +WHY$/);
    expect(rows[1]).toMatch(new RegExp(`^gpu +${fingerprints[0]} +env:A +ready +0`));
    expect(rows[2]).toMatch(new RegExp(`^gpu +${fingerprints[1]} +env:B +ready +0 of 3`));
    expect(rows[3]).toMatch(/^gpu +- +env:MISSING +dead .*the environment has no MISSING/);
    const json = await line("keys", "--json");
    expect(JSON.parse(json.out)).toMatchObject({
      items: [
        { provider: "gpu", fingerprint: fingerprints[0], source: "env:A", state: "ready", in_flight: 0 },
        { fingerprint: fingerprints[1], concurrency: 3 },
        { fingerprint: null, state: "dead" },
      ],
    });
    expect(`${people.out}${people.err}${json.out}${json.err}`).not.toMatch(/sk-live|AAAA1111|CCCC3333/);
  });

  test("switches one off and on, by the beginning of its fingerprint", async () => {
    const [first] = fingerprints as [string];
    const off = await line("keys", "disable", first.slice(0, 6));
    expect(off).toMatchObject({ code: 0, err: `The key ${first} (env:A) is switched off.\n` });
    expect((await line("keys")).out).toMatch(/env:A +disabled .*switched off by a person/);
    const on = await line("keys", "enable", first, "--json");
    expect(JSON.parse(on.out)).toMatchObject({ items: [{ fingerprint: first, state: "ready" }] });
  });

  test("makes a dead key whole again when a person says so", async () => {
    const { pool } = desk.windowOf("gpu")!;
    const need = { model: "m", tokens: 1 };
    const answer = pool.take({ need, conversation: "c", protocol: "openai", wake: () => true });
    if (answer.type !== "lease") throw new Error("expected a lease");
    const { lease } = answer;
    lease.failed(new ProviderError({ kind: "auth", code: "key_revoked" }, "no"));
    lease.end();
    expect((await line("keys")).out).toContain("the server says that it will not work again");
    await line("keys", "enable", lease.fingerprint);
    expect((await line("keys")).out).not.toContain("will not work again");
  });

  test("refuses what no key begins with, or all of them", async () => {
    const none = await line("keys", "disable", "zzz");
    expect([none.code, none.err]).toEqual([4, expect.stringContaining("which no key has")]);
    const all = await line("keys", "disable", "");
    expect(all.err).toContain("which 2 keys have");
    expect((await line("keys", "disable")).code).toBe(2);
  });
});

test("a box without keys says so", async () => {
  const plain = await serveScripted();
  const terminal = plain.terminal();
  expect(await runLine(["keys"], terminal)).toBe(0);
  expect(terminal.err).toBe("No provider has a key.\n");
  await plain.close();
});

test("a key's row tells when it is back, and which models it sits out", () => {
  const key: KeyView = {
    fingerprint: "0123456789ab",
    source: "env:K",
    state: "throttled",
    reason: "the server asks\nfor fewer requests",
    until: 62_000,
    inFlight: 1,
    concurrency: null,
    models: [{ model: "big", until: 7_200_000, reason: "its tokens are used up" }],
  };
  const lines = keyTable([{ provider: "cloud", key }], 0).map((each) =>
    (typeof each === "string" ? [each] : each)
      .map((span) => (typeof span === "string" ? span : span[1]))
      .join(""),
  );
  expect(lines[1]).toMatch(
    /^cloud +0123456789ab +env:K +throttled +in 1m +1 +the server asks for fewer requests$/,
  );
  expect(lines[2]).toMatch(/^ +big +throttled +in 2h +its tokens are used up$/);
  const passed = keyTable([{ provider: "cloud", key: { ...key, models: [] } }], 62_000);
  expect(JSON.stringify(passed)).toContain("now");
});
