import { describe, expect, test } from "vitest";
import type { RestartPolicy } from "../../src/core/limits.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import type { TaskKind, TaskRecord } from "../../src/core/task.ts";
import { firstRecord } from "../../src/store/commit.ts";
import { isParked, MAX_RESUMES, planResume, type ResumePlan } from "../../src/runtime/resuming.ts";
import { specOf } from "./specimens.ts";

interface Found {
  readonly value?: unknown;
  readonly resumes?: number;
  readonly machine?: number;
  readonly onRestart?: RestartPolicy;
  readonly kind?: TaskKind;
  readonly record?: Partial<TaskRecord>;
}

function planOf({ value, resumes = 0, machine = 1, onRestart = "resume", kind = "task", record }: Found) {
  const spec = specOf({ kind, limits: { ...DEFAULT_TASK_LIMITS, onRestart } });
  const actor = { status: "active", value, context: CONTEXT, children: {}, historyValue: {} };
  const snapshot = value === undefined ? null : { machine, activeMs: 0, actor, resumes };
  return planResume({
    record: { ...firstRecord(spec), ...record },
    resume: { snapshot, timers: [], inboxCursor: 0, lastIndex: 0 },
  });
}

const CONTEXT = {
  run: 1,
  turn: 1,
  turnsUsed: 1,
  tries: 0,
  mailSeen: 0,
  mailTaken: 0,
  liveChildren: 0,
  waits: [],
};
const generating = { running: "generating" };
const code = (plan: ResumePlan): string | null => (plan.kind === "fail" ? plan.failure.code : null);

describe("planResume", () => {
  test("lets a task that was never claimed before, or wrote nothing, wait like a new one", () => {
    expect(planResume({ record: firstRecord(specOf()), resume: null })).toEqual({
      kind: "wait",
      stored: null,
    });
    expect(planOf({})).toEqual({ kind: "wait", stored: null });
  });

  test.each<RestartPolicy>(["resume", "restart", "fail"])(
    "R1 keeps a queued task queued under %s",
    (onRestart) => {
      expect(planOf({ value: { spawned: "queued" }, onRestart }).kind).toBe("wait");
    },
  );

  test.each([
    [{ spawned: "starting" }, "spawned", "starting", "live"],
    [{ spawned: "backing_off" }, "spawned", "backing_off", "live"],
    [{ running: "waiting_slot" }, "running", "waiting_slot", "live"],
    [generating, "running", "generating", "live"],
    [{ running: "calling_tools" }, "running", "calling_tools", "live"],
    [{ running: "backing_off" }, "running", "backing_off", "live"],
    ["steering", "steering", null, "live"],
    [{ running: "waiting_children" }, "running", "waiting_children", "parked"],
    [{ running: "waiting_input" }, "running", "waiting_input", "parked"],
  ])("goes on from %j", (...[value, state, phase, returning]) => {
    expect(planOf({ value })).toMatchObject({ kind: "go_on", state, phase, returning });
    expect(isParked(phase as "generating" | null)).toBe(returning === "parked");
  });

  test("R2 gives up a task in whose turn the server died too often, if it was at work", () => {
    expect(planOf({ value: generating, resumes: MAX_RESUMES - 1 }).kind).toBe("go_on");
    expect(code(planOf({ value: generating, resumes: MAX_RESUMES }))).toBe("crash_loop");
    expect(planOf({ value: { running: "waiting_children" }, resumes: MAX_RESUMES }).kind).toBe("go_on");
  });

  test("does what the policy says of a task that had begun, parked ones too", () => {
    for (const value of [generating, { running: "waiting_children" }]) {
      expect(planOf({ value, onRestart: "restart" }).kind).toBe("run_again");
      expect(code(planOf({ value, onRestart: "fail" }))).toBe("interrupted");
    }
  });

  test("R3 lets a session go on whatever the policy, and listen again at worst", () => {
    for (const onRestart of ["restart", "fail"] as const) {
      expect(planOf({ value: { running: "waiting_input" }, kind: "session", onRestart }).kind).toBe("go_on");
    }
    expect(
      planOf({ value: generating, machine: 99, kind: "session", record: { state: "running" } }).kind,
    ).toBe("run_again");
  });

  test("says why a snapshot is of no use, unless the task begins anew anyway", () => {
    const record = { state: "running", phase: "generating" } as const;
    expect(code(planOf({ value: generating, machine: 99, record }))).toBe("machine_changed");
    expect(code(planOf({ value: generating, machine: Number.NaN, record }))).toBe("machine_changed");
    expect(planOf({ value: generating, machine: 99, record, onRestart: "restart" }).kind).toBe("run_again");
    expect(planOf({ value: generating, machine: 99 }).kind).toBe("wait");
  });
});
