import { describe, expect, it } from "vitest";
import { say } from "../../providers/script.ts";
import type { DelegateRequest } from "../../src/core/api.ts";
import type { Settings } from "../../src/core/settings.ts";
import type { WorktreeEnd, Worktrees } from "../../src/core/worktree.ts";
import { noWorktrees, placeOfWorktree, workplaceOf } from "../../src/runtime/isolating.ts";
import { agentNamed, rig, testSettings } from "./rig.ts";

const settings = testSettings({ workspaceRoot: "/work", worktreeFolder: "/data/worktrees" });
const place = (
  request: Pick<DelegateRequest, "workspace" | "isolation" | "detached">,
  { parent = null, over = {} }: { parent?: string | null; over?: Partial<Settings> } = {},
) =>
  workplaceOf(request, {
    id: "task_2",
    agent: agentNamed("mender"),
    parent: parent === null ? null : { workspace: parent },
    settings: { ...settings, ...over },
  });
const ISOLATED = {
  workspace: "box:testbox:/data/worktrees/task_2",
  worktree: { base: "/work/app", branch: "troupe/task_2" },
};

describe("workplaceOf", () => {
  it("shares what it is given or inherits", () => {
    expect(place({})).toEqual({ workspace: "box:testbox:/work" });
    expect(place({ workspace: "/work/app", isolation: "shared" })).toEqual({
      workspace: "box:testbox:/work/app",
    });
    expect(place({}, { parent: "box:testbox:/work/app" })).toEqual({ workspace: "box:testbox:/work/app" });
    expect(() => place({ workspace: "/etc" })).toThrow(/absolute path in \/work/);
  });

  it("gives a worktree of that folder where request, agent or the default of children says so", () => {
    expect(place({ workspace: "/work/app", isolation: "worktree" })).toEqual(ISOLATED);
    const isolated = { childAgent: agentNamed("child", { isolation: "worktree" }) };
    const parent = "box:testbox:/work/app";
    expect(place({}, { parent, over: isolated })).toEqual(ISOLATED);
    // What the config keeps apart, no request puts together.
    expect(place({ isolation: "shared" }, { parent, over: isolated })).toEqual(ISOLATED);
  });

  it("refuses one where none can be made, naming the key", () => {
    const { worktreeFolder: _, ...without } = settings;
    const asked = () =>
      workplaceOf(
        { isolation: "worktree" },
        { id: "task_2", agent: agentNamed("a"), parent: null, settings: without },
      );
    expect(asked).toThrow(noWorktrees().message);
    expect(noWorktrees().details["config_key"]).toBe("delegation.worktree_folder");
  });

  it("refuses a child that would outlive the worktree it works in", () => {
    const parent = "box:testbox:/data/worktrees/task_1";
    expect(place({}, { parent })).toEqual({ workspace: parent });
    expect(() => place({ detached: true }, { parent })).toThrow(
      expect.objectContaining({ code: "detached_in_worktree" }) as Error,
    );
    expect(place({ detached: true, isolation: "worktree" }, { parent }).worktree?.base).toBe(
      "/data/worktrees/task_1",
    );
  });

  it("placeOfWorktree is nothing for who shares", () => {
    expect(placeOfWorktree({ workspace: "box:testbox:/work" })).toBeNull();
    expect(placeOfWorktree(ISOLATED)?.path).toBe("/data/worktrees/task_2");
  });
});

/** Worktrees that keep a diary instead of files. */
class DiaryWorktrees implements Worktrees {
  readonly diary: string[] = [];
  readonly end: WorktreeEnd = { path: "/p", branch: "b", commits: 1, dirty: false, kept: true };
  failure: Error | null = null;

  async make({ branch }: Parameters<Worktrees["make"]>[0]): Promise<void> {
    this.diary.push(`make ${branch.replace(/task_.*/, "task")}`);
    if (this.failure) throw this.failure;
  }

  async leave({ path }: Parameters<Worktrees["leave"]>[0]): Promise<WorktreeEnd | null> {
    this.diary.push(`leave ${path.replace(/task_.*/, "task")}`);
    return this.end;
  }
}

describe("a task with a worktree", () => {
  const isolated = { goal: "x", isolation: "worktree" } as const;

  it("has it before its first turn, and its end says what is left", async () => {
    const worktrees = new DiaryWorktrees();
    const { api, runtime, clock } = rig({
      reply: () => {
        worktrees.diary.push("turn");
        return [say("done")];
      },
      settings: { worktreeFolder: "/data/worktrees" },
      worktrees,
    });
    const handle = await api.delegate(isolated);
    expect(handle.note).toContain("git worktree of its own, on the branch troupe/task_");
    const shared = await api.delegate({ goal: "y" });
    await clock.advance(500);
    const result = await api.collect(handle.taskId, { timeoutMs: 0 });
    expect(result).toMatchObject({ state: "done", worktree: worktrees.end });
    expect(await api.collect(shared.taskId, { timeoutMs: 0 })).not.toHaveProperty("worktree");
    expect(worktrees.diary.filter((line) => line !== "turn")).toEqual([
      "make troupe/task",
      "leave /data/worktrees/task",
    ]);
    expect(worktrees.diary[0]).toContain("make");
    await runtime.close();
  });

  it("fails with the reason where none can be made, and never takes a turn", async () => {
    for (const failing of [true, false]) {
      const worktrees = new DiaryWorktrees();
      worktrees.failure = new Error("no repository");
      const { api, runtime, clock } = rig({
        reply: () => [say("done")],
        settings: { worktreeFolder: "/data/worktrees" },
        ...(failing && { worktrees }),
      });
      const { taskId } = await api.delegate(isolated);
      await clock.advance(500);
      const { state, failure } = await api.collect(taskId, { timeoutMs: 0 });
      expect(state).toBe("failed");
      expect(failure?.message).toContain(failing ? "no repository" : "delegation.worktree_folder");
      await runtime.close();
    }
  });
});
