import { describe, expect, it } from "vitest";
import { PHASES, STATES } from "../../../src/core/lifecycle.ts";
import {
  bytes,
  count,
  hour,
  isOver,
  money,
  shortId,
  SIGNS,
  span,
  stateWords,
  TONE_WORDS,
  toneOf,
} from "../../../web/model/words.js";

describe("a state", () => {
  it("has a sign and words for every word of the lifecycle", () => {
    for (const state of STATES) {
      for (const phase of [null, ...PHASES]) {
        expect(SIGNS[toneOf(state, phase)]).toHaveLength(1);
        expect(stateWords(state, phase)).toMatch(/^[a-z ]+$/);
      }
    }
  });

  it("looks different in every phase that a person acts on", () => {
    const tones = (
      ["queued", "waiting_slot", "generating", "calling_tools", "waiting_children", "waiting_input"] as const
    ).map((phase) => toneOf("running", phase));
    expect(new Set(tones).size).toBe(tones.length);
    expect(new Set(Object.values(SIGNS)).size).toBe(Object.keys(SIGNS).length);
  });

  it("has its words in the legend of the timeline, each look once", () => {
    expect(TONE_WORDS.map(([tone]) => tone).toSorted()).toEqual(Object.keys(SIGNS).toSorted());
    const said = new Map(TONE_WORDS);
    for (const phase of PHASES.filter((each) => each !== "starting" && each !== "backing_off"))
      expect(said.get(toneOf("running", phase))).toBe(stateWords("running", phase));
  });

  it("is at rest in a conversation that waits for its person, and over keeps no phase", () => {
    expect([
      toneOf("running", "waiting_input", "session"),
      stateWords("running", "waiting_input", "session"),
    ]).toEqual(["queued", "your turn"]);
    expect(toneOf("failed", "generating")).toBe("failed");
    expect(STATES.filter(isOver)).toEqual(["done", "cancelled", "failed"]);
  });
});

describe("figures", () => {
  it.each([
    [-5, "0.0 s"],
    [420, "0.4 s"],
    [9_940, "9.9 s"],
    [9_960, "10 s"],
    [59_400, "59 s"],
    [59_600, "1 m 00 s"],
    [185_000, "3 m 05 s"],
    [3_599_999, "1 h 00 m"],
    [7_800_000, "2 h 10 m"],
    [273_600_000, "3 d 4 h"],
  ])("%d ms is %s", (ms, words) => expect(span(ms)).toBe(words));

  it.each([
    [0, "0"],
    [950, "950"],
    [12_340, "12.3k"],
    [123_400, "123k"],
    [999_700, "1.0M"],
    [4_500_000_000, "4.5G"],
  ])("%d counts as %s", (value, words) => expect(count(value)).toBe(words));

  it.each([
    [999, "999 B"],
    [17_200_000_000, "17.2 GB"],
    [999_600, "1.0 MB"],
  ])("%d bytes are %s", (value, words) => expect(bytes(value)).toBe(words));

  it("money keeps its small parts while it is small", () => {
    expect([money(1_200), money(1_234_567)]).toEqual(["0.0012", "1.23"]);
  });

  it("hours have two figures each, and ids are short and told apart", () => {
    expect(hour(1_700_000_000_000)).toMatch(/^\d\d:\d\d:\d\d$/);
    expect([shortId("task_bb602a0011"), shortId("something-long-and-odd")]).toEqual([
      "task_bb602a",
      "something-long",
    ]);
  });
});
