import { describe, expect, it } from "vitest";
import { KEY_WORDS, keyRecordsOf } from "../../src/core/key-state.ts";
import { standingOf, wordOf, type KeyState } from "../../src/credentials/pool-key.ts";
import { penalised } from "../../src/credentials/pool-penalty.ts";
import { recordsOf, restored } from "../../src/credentials/pool-record.ts";
import type { KeySignal } from "../../src/credentials/pool-signal.ts";
import { at, key, NEED } from "./pool-specimens.ts";

const WALL = 1_800_000_000_000;
const kept = (signal: KeySignal) =>
  recordsOf("cloud", penalised(key(), signal, at(1000)), { now: 1000, wall: WALL });
/** What another process, whose monotonic clock begins anew, makes of it so many wall-clock milliseconds later. */
const after = (ms: number, signal: KeySignal): KeyState =>
  restored(key(), kept(signal), { now: 5, wall: WALL + ms });

const DEAD: KeySignal = { about: "auth", final: true };
const SUSPECT: KeySignal = { about: "auth", final: false };
const BROKE: KeySignal = { about: "money", hintMs: null };
const rate = (hintMs: number, scope: "key" | "key_model"): KeySignal => {
  return { about: "rate", hintMs, scope, concurrency: false };
};

describe("what is kept", () => {
  it("is nothing of a key that is well", () => {
    expect(recordsOf("cloud", key(), { now: 0, wall: WALL })).toEqual([]);
  });

  it("is what it sits out, in wall-clock time, by its fingerprint", () => {
    expect(kept(SUSPECT)).toEqual([
      {
        schema: 1,
        provider: "cloud",
        fingerprint: "k",
        model: null,
        state: "suspect",
        until: WALL + 60_000,
        told: false,
        reason: "the server refused it",
        strikes: 1,
        updatedAt: WALL,
      },
    ]);
    expect(kept(rate(90_000, "key_model"))).toMatchObject([{ model: "m", state: "throttled" }]);
    expect(kept(rate(1000, "key_model"))).toEqual([]);
    expect(KEY_WORDS).toContain(kept(DEAD)[0]?.state);
  });

  it("is that a person switched it off", () => {
    const records = recordsOf("cloud", { ...key(), disabled: true }, { now: 0, wall: WALL });
    expect(records).toMatchObject([{ state: "disabled", until: null }]);
    expect(wordOf(restored(key(), records, { now: 0, wall: WALL }), 0)).toBe("disabled");
  });
});

describe("what a new process makes of it", () => {
  it("goes on with what is left, and then asks once", () => {
    const state = after(20_000, rate(90_000, "key"));
    expect(standingOf(state, NEED, 5)).toMatchObject({ open: false, state: "throttled", until: 70_005 });
    expect(standingOf(state, NEED, 70_005)).toEqual({ open: true, probe: true });
  });

  it("ignores what is over", () => {
    expect(after(100_000, rate(90_000, "key"))).toEqual(key());
    expect(after(100_000, rate(90_000, "key_model"))).toEqual(key());
    expect(after(61_000, SUSPECT)).toEqual(key());
  });

  it("keeps a dead key dead, and a suspect one a step from it", () => {
    expect(wordOf(after(1e9, DEAD), 5)).toBe("dead");
    const probed = penalised(after(30_000, SUSPECT), SUSPECT, at(31_000));
    expect(probed.penalty).toMatchObject({ state: "dead" });
  });

  it("asks a key without money at once, unless the server named a time", () => {
    expect(standingOf(after(1000, BROKE), NEED, 5)).toEqual({ open: true, probe: true });
    const told = after(1000, { about: "money", hintMs: 7_200_000 });
    expect(standingOf(told, NEED, 5)).toMatchObject({ state: "exhausted", until: 5 + 7_199_000 });
  });

  it("locks nothing away because a clock jumped", () => {
    expect(standingOf(after(-400 * 86_400_000, rate(90_000, "key")), NEED, 5)).toMatchObject({
      until: 5 + 86_400_000,
    });
    expect(after(400 * 86_400_000, rate(90_000, "key"))).toEqual(key());
  });

  it("holds the later of two ends", () => {
    const own = penalised(key(), rate(500_000, "key"), at(5));
    const merged = restored(own, kept(rate(90_000, "key")), { now: 5, wall: WALL });
    expect(merged.penalty?.until).toBe(500_005);
    const dead = penalised(key(), DEAD, at(5));
    expect(restored(dead, kept(rate(90_000, "key")), { now: 5, wall: WALL }).penalty?.state).toBe("dead");
    const throttled = penalised(key(), rate(500_000, "key_model"), at(5));
    expect(restored(throttled, kept(rate(90_000, "key_model")), { now: 5, wall: WALL })).toBe(throttled);
  });

  it("takes nothing from another key, or from nonsense", () => {
    const [record] = kept(DEAD);
    const wrong = [
      { ...record!, fingerprint: "other" },
      { ...record!, state: "throttled" as const, until: null },
      { ...record!, state: "ready" as const },
      { ...record!, model: "m", until: null },
    ];
    expect(restored(key(), wrong, { now: 5, wall: WALL })).toEqual(key());
  });
});

it("reads what was kept, and leaves out what another version wrote, or nobody", () => {
  const records = kept(DEAD);
  const stored: unknown = JSON.parse(
    JSON.stringify([...records, { ...records[0], schema: 2 }, { state: "dead" }, 7, null]),
  );
  expect(keyRecordsOf(stored)).toEqual(records);
  for (const nothing of [null, "keys", {}, 7]) expect(keyRecordsOf(nothing)).toEqual([]);
});
