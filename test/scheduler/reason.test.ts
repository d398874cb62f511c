// The words for a turn whose profile is not loaded; view.test.ts has those for what is taken.

import { describe, expect, it } from "vitest";
import { placeOf } from "../../src/scheduler/view.ts";
import { Desk } from "./desk.ts";

function waiting(): Desk {
  const desk = new Desk({ residency: { vramBytes: null }, slots: 2 });
  desk.admit("a", { profile: "qwen3:8b@4096" });
  desk.ask("a");
  return desk;
}

const reasonOf = (desk: Desk): string | undefined => placeOf(desk.state, "a")?.reason;

describe("reasonFor", () => {
  it("says what is loaded instead, and what it is doing", () => {
    const desk = new Desk({ residency: { vramBytes: 1 }, slots: 2 });
    desk.report("llama3:8b@4096", "resident", { vramBytes: 1 });
    desk.admit("a", { profile: "qwen3:8b@4096", sizeBytes: 1 });
    for (const task of ["b", "c"]) {
      desk.admit(task, { profile: "llama3:8b@4096" });
      desk.ask(task);
    }
    desk.ask("a");
    expect(reasonOf(desk)).toBe(
      "qwen3:8b@4096 is not loaded on gpu0: llama3:8b@4096 is, with 2 generations in flight",
    );
    desk.end("c");
    expect(reasonOf(desk)).toContain("llama3:8b@4096 is, with 1 generation in flight");
    desk.release("b");
    expect(reasonOf(desk)).toBe("qwen3:8b@4096 is not loaded on gpu0: llama3:8b@4096 is");
    desk.end("b");
    expect(reasonOf(desk)).toBe("qwen3:8b@4096 is not loaded on gpu0: llama3:8b@4096 is being unloaded");
  });

  it("says how long a person waits for turns that were stopped for one before", () => {
    const desk = new Desk({ residency: { vramBytes: 1 } });
    desk.report("work@1", "resident", { vramBytes: 1 });
    desk.admit("child", { profile: "work@1" });
    desk.admit("a", {
      profile: "chat@1",
      sizeBytes: 1,
      parentId: null,
      needsPlace: false,
      class: "interactive",
    });
    desk.ask("child");
    desk.ask("a", { class: "interactive" });
    expect(desk.after(5_000)).toEqual(["preempt child for a"]);
    desk.release("child");
    desk.ask("child", { front: true });
    desk.report("work@1", "absent");
    desk.report("chat@1", "resident");
    desk.release("a");
    desk.report("chat@1", "absent");
    desk.report("work@1", "resident");
    desk.ask("a", { class: "interactive" });
    desk.after(29_000);
    expect(reasonOf(desk)).toBe(
      "chat@1 is not loaded on gpu0: work@1 is, with 1 generation in flight and 30 s for a turn that was stopped before",
    );
    desk.after(1_000);
    expect(reasonOf(desk)).toContain("work@1 is draining");
  });

  it("names the model whose slots and places are taken, where they are counted for each", () => {
    const desk = waiting();
    desk.report("qwen3:8b@4096", "resident");
    const tasks = ["b", "c", "d", "e", "f"];
    for (const task of tasks) desk.admit(task, { profile: "qwen3:8b@4096" });
    const last = tasks.flatMap((task) => placeOf(desk.state, task)?.reason ?? []).at(-1);
    expect(last).toMatch(/^(\d) of \1 (place is|places) for qwen3:8b@4096 on gpu0 (is|are) taken$/);
  });

  it("says that it is being loaded or unloaded itself", () => {
    const desk = waiting();
    desk.report("qwen3:8b@4096", "loading");
    expect(reasonOf(desk)).toBe("qwen3:8b@4096 is being loaded on gpu0");
    desk.report("qwen3:8b@4096", "unloading");
    expect(reasonOf(desk)).toBe("qwen3:8b@4096 is being unloaded on gpu0");
  });
});
