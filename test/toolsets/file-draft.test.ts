import { describe, expect, it } from "vitest";
import { draftName, isDraft } from "../../src/toolsets/file-draft.ts";

describe("the names of files that are being written", () => {
  it("are the same for the same call and differ for every other", () => {
    expect(draftName("task_1", "call_1")).toBe(draftName("task_1", "call_1"));
    expect(draftName("task_1", "call_1")).not.toBe(draftName("task_1", "call_2"));
    expect(draftName("task_1", "call_1")).not.toBe(draftName("task_1c", "all_1"));
  });

  it("are known by their form, whatever a model called its call", () => {
    expect(isDraft(draftName("task_1", "../../x\0"))).toBe(true);
    for (const name of [".troupe-x.tmp", "troupe.tmp", `x${draftName("a", "b")}`]) {
      expect(isDraft(name)).toBe(false);
    }
  });
});
