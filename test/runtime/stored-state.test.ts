import { describe, expect, test } from "vitest";
import { AGENT_MACHINE_VERSION } from "../../machines/agent.ts";
import { memoOf, readStored } from "../../src/runtime/stored-state.ts";

const REROUTE = {
  from: { provider: "gpu", model: "a", backend: "gpu" },
  to: { provider: "cloud", model: "b", backend: "cloud" },
  code: "network",
  reason: "It was down.",
  time: 5,
  costMicros: 0,
};

const context = {
  run: 1,
  turn: 1,
  turnsUsed: 1,
  tries: 0,
  mailSeen: 0,
  mailTaken: 0,
  liveChildren: 0,
  waits: [],
};
const actor = { status: "active", value: { running: "generating" }, context, children: {}, historyValue: {} };
const whole = { machine: AGENT_MACHINE_VERSION, activeMs: 12, actor };

describe("readStored", () => {
  test("reads what was written", () => {
    expect(readStored(structuredClone(whole))).toEqual(whole);
  });

  test("reads how a task ends, though its actor is over", () => {
    const over = { ...whole, actor: { ...actor, status: "done", value: "done" }, ending: { state: "done" } };
    expect(readStored(structuredClone(over))).toEqual(over);
  });

  test.each([null, undefined])("finds nothing in %s", (snapshot) => {
    expect(readStored(snapshot)).toBeNull();
  });

  test("tells a state of another machine from none that can be read", () => {
    expect(readStored({ ...whole, machine: AGENT_MACHINE_VERSION + 1 })).toBe("other_machine");
  });

  test.each([
    "words",
    7,
    [],
    {},
    { machine: "1" },
    { ...whole, activeMs: "soon" },
    { ...whole, actor: null },
    { ...whole, actor: { ...actor, status: "done" } },
    { ...whole, actor: { ...actor, context: null } },
    { ...whole, actor: { status: "active", context } },
    { ...whole, actor: { ...actor, context: { ...context, waits: 7 } } },
    { ...whole, actor: { ...actor, context: { ...context, turn: "1" } } },
    { ...whole, actor: { ...actor, value: 7 } },
    { ...whole, actor: { ...actor, value: {} } },
    { ...whole, actor: { ...actor, value: "garbage" } },
    { ...whole, actor: { ...actor, value: { running: "queued" } } },
    { ...whole, actor: { ...actor, value: { spawned: "generating" } } },
    { ...whole, actor: { ...actor, value: "done" } },
    { ...whole, told: 5 },
    { ...whole, quiet: {} },
    { ...whole, resumes: "x" },
    { ...whole, reroutes: "x" },
    { ...whole, reroutes: [{ ...REROUTE, to: "gpu/other" }] },
    { ...whole, reroutes: [{ ...REROUTE, costMicros: null }] },
  ])("finds %j unreadable", (snapshot) => {
    expect(readStored(snapshot)).toBe("unreadable");
  });
});

const AWAY = { code: "server_away", message: "Away.", retryable: false };

test("memoOf leaves out what says nothing", () => {
  expect(memoOf({ told: [], quiet: [] }, { reroutes: [], lastFailure: null }, 0)).toEqual({});
  expect(memoOf({ told: ["a"], quiet: ["b"] }, { reroutes: [REROUTE], lastFailure: AWAY }, 2)).toEqual({
    told: ["a"],
    quiet: ["b"],
    reroutes: [REROUTE],
    resumes: 2,
    held: true,
  });
});
