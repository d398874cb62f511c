// The story against this very checkout: what it names is there, and its parent understands it.

import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  AFTERWARDS,
  CANCEL,
  CANCELLED,
  CRASH_GOALS,
  CRASH_REQUEST,
  FOLLOWED,
  GOALS,
  QUESTION,
  REQUEST,
  STEER,
  STEER_TEXT,
  STEERED,
} from "../../src/cli/demo-story.ts";
import { orchestratorPolicy } from "../../src/simulator/policies/orchestrator.ts";
import type { PolicyRequest } from "../../src/simulator/policy.ts";

const NAMES = ["delegate_task_async", "steer_task", "cancel_task", "list_tasks"];
const tools = NAMES.map((name) => ({ name, description: "", parameters: {} }));
const user = (content: string) => ({
  role: "user" as const,
  content,
  calls: [],
  callId: null,
  toolName: null,
});
const asked = (content: string): PolicyRequest => ({ messages: [user(content)], tools });

describe("the story of the demo", () => {
  it("names only folders that exist", () => {
    const folders = GOALS.flatMap((goal) => goal.match(/src\/\w+/g) ?? []);
    expect(folders.length).toBeGreaterThan(8);
    expect(folders.filter((folder) => !existsSync(new URL(`../../${folder}`, import.meta.url)))).toEqual([]);
  });

  it("is understood by the simulated parent as three goals", () => {
    const calls = orchestratorPolicy(asked(REQUEST)).calls;
    expect(calls.map((call) => call.arguments["goal"])).toEqual(GOALS);
  });

  it("is understood as three goals with a crash too, of which the same two are steered and cancelled", () => {
    const calls = orchestratorPolicy(asked(CRASH_REQUEST)).calls;
    expect(calls.map((call) => call.arguments["goal"])).toEqual(CRASH_GOALS);
    expect([CRASH_GOALS[STEERED], CRASH_GOALS[CANCELLED]]).toEqual([GOALS[STEERED], GOALS[CANCELLED]]);
    expect(orchestratorPolicy(asked(AFTERWARDS))).toMatchObject({ calls: [], text: "12 * 34 = 408." });
  });

  it("asks a question that needs no child", () => {
    expect(orchestratorPolicy(asked(QUESTION))).toMatchObject({ calls: [], text: "17 * 23 = 391." });
  });

  it("steers and cancels in words that name a task", () => {
    expect(STEER).toContain("second task");
    expect(STEER).toContain(STEER_TEXT);
    expect(CANCEL).toContain("third task");
    expect(FOLLOWED.exec(`I followed the steer "${STEER_TEXT}": only src/core.`)?.[1]).toBe(STEER_TEXT);
  });
});
