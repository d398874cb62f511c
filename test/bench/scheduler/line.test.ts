// The capped line: its cap, its order, and what an abort leaves behind.

import { describe, expect, it } from "vitest";
import { Line } from "../../../bench/scheduler/line.ts";

const NEVER = new AbortController().signal;

/** Enters one after the other and lists who got in. */
function entering(line: Line<string>, names: readonly string[]): string[] {
  const inside: string[] = [];
  for (const name of names) void line.enter(name, NEVER).then(() => inside.push(name));
  return inside;
}

const settled = () => new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(resolve)));

describe("a line", () => {
  it("L1 lets in so many at once, first come first served", async () => {
    const line = new Line<string>({ cap: 2 });
    const inside = entering(line, ["a", "b", "c", "d"]);
    await settled();
    expect(inside).toEqual(["a", "b"]);
    expect(line.held).toBe(4);
    line.leave();
    await settled();
    expect(inside).toEqual(["a", "b", "c"]);
  });

  it("goes by the order that it is given", async () => {
    const line = new Line<string>({ cap: 1, pick: (waiting) => waiting.length - 1 });
    const inside = entering(line, ["a", "b", "c"]);
    line.leave();
    await settled();
    expect(inside).toEqual(["a", "c"]);
  });

  it("L2 forgets who aborts, and refuses who comes aborted", async () => {
    const line = new Line<string>({ cap: 1 });
    entering(line, ["a"]);
    const gone = new AbortController();
    const entered = line.enter("b", gone.signal);
    gone.abort(new Error("left"));
    await expect(entered).rejects.toThrow("left");
    await expect(line.enter("c", gone.signal)).rejects.toThrow("left");
    expect(line.held).toBe(1);
  });

  it("L2 gives the room back whatever the work came to", async () => {
    const line = new Line<string>({ cap: 1 });
    await expect(line.run("a", NEVER, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(await line.run("b", NEVER, () => Promise.resolve(7))).toBe(7);
    expect(line.held).toBe(0);
  });
});
