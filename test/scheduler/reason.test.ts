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

  it("says that it is being loaded or unloaded itself", () => {
    const desk = waiting();
    desk.report("qwen3:8b@4096", "loading");
    expect(reasonOf(desk)).toBe("qwen3:8b@4096 is being loaded on gpu0");
    desk.report("qwen3:8b@4096", "unloading");
    expect(reasonOf(desk)).toBe("qwen3:8b@4096 is being unloaded on gpu0");
  });
});
