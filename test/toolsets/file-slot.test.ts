import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { draftName } from "../../src/toolsets/file-draft.ts";
import { look, move, put, remove, withSlot } from "../../src/toolsets/file-slot.ts";
import { allowAll, Workspace } from "../../src/toolsets/workspace.ts";
import type { FilePolicy } from "../../src/toolsets/workspace.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-slot-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const signal = new AbortController().signal;
const draft = draftName("task_1", "call_1");
const bytes = new TextEncoder().encode("new");
const reach = (policy: FilePolicy = allowAll) => ({ workspace: new Workspace(folder), policy });
const slots = (make = false) => ({ reach: reach(), make });
const conflict = expect.objectContaining({ code: "conflict" }) as Error;

describe("L3 what was looked at is what is changed", () => {
  it("makes no file where one has come, and leaves it", async () => {
    await withSlot(slots(), "a.txt", async (slot) => {
      writeFileSync(join(folder, "a.txt"), "theirs");
      await expect(put(slot, { bytes, over: null, draft, signal })).rejects.toThrow(conflict);
    });
    expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("theirs");
    expect(readdirSync(folder)).toEqual(["a.txt"]);
  });

  it("neither replaces, deletes nor moves a file that has changed", async () => {
    writeFileSync(join(folder, "a.txt"), "old");
    await withSlot(slots(), "a.txt", async (slot) => {
      const over = await look(slot, signal);
      if (over === null) throw new Error("expected a file");
      writeFileSync(join(folder, "a.txt"), "theirs");
      await expect(put(slot, { bytes, over, draft, signal })).rejects.toThrow(conflict);
      await expect(remove(slot, over)).rejects.toThrow(conflict);
      await withSlot(slots(), "b.txt", async (to) => {
        await expect(move(slot, to, over)).rejects.toThrow(conflict);
      });
    });
    expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("theirs");
    expect(readdirSync(folder)).toEqual(["a.txt"]);
  });
});

describe("L1 a folder that was moved away is not written", () => {
  it("refuses, and leaves nothing in it", async () => {
    mkdirSync(join(folder, "sub"));
    await withSlot(slots(), "sub/a.txt", async (slot) => {
      const { renameSync } = await import("node:fs");
      renameSync(join(folder, "sub"), join(folder, "elsewhere"));
      await expect(put(slot, { bytes, over: null, draft, signal })).rejects.toThrow(conflict);
    });
    expect(readdirSync(join(folder, "elsewhere"))).toEqual([]);
  });
});

describe("L2 a file appears whole", () => {
  it("takes away what an earlier try of the same call left", async () => {
    writeFileSync(join(folder, draft), "half");
    await withSlot(slots(), "a.txt", (slot) => put(slot, { bytes, over: null, draft, signal }));
    expect(readdirSync(folder)).toEqual(["a.txt"]);
    expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("new");
  });

  it("writes through no link that waits at its place or at the draft's", async () => {
    const outside = mkdtempSync(join(tmpdir(), "troupe-slot-outside-"));
    writeFileSync(join(outside, "x"), "theirs");
    symlinkSync(join(outside, "x"), join(folder, draft));
    await withSlot(slots(), "a.txt", (slot) => put(slot, { bytes, over: null, draft, signal }));
    expect(readFileSync(join(outside, "x"), "utf8")).toBe("theirs");
    symlinkSync(join(outside, "x"), join(folder, "link"));
    await withSlot(slots(), "link", async (slot) => {
      await expect(look(slot, signal)).rejects.toThrow("is a link");
      await expect(put(slot, { bytes, over: null, draft, signal })).rejects.toThrow(conflict);
    });
    expect(readFileSync(join(outside, "x"), "utf8")).toBe("theirs");
    rmSync(outside, { recursive: true });
  });

  it("leaves nothing behind when it is called off", async () => {
    const aborted = AbortSignal.abort(new Error("cancelled"));
    await withSlot(slots(), "a.txt", async (slot) => {
      await expect(put(slot, { bytes, over: null, draft, signal: aborted })).rejects.toThrow("cancelled");
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("withSlot", () => {
  it("makes missing folders only when told, and not without end", async () => {
    const used = () => Promise.resolve("used");
    await expect(withSlot(slots(), "x/y/a.txt", used)).rejects.toThrow("There is no x/y");
    await expect(withSlot(slots(true), `${"x/".repeat(33)}a.txt`, used)).rejects.toThrow("at most 32");
    expect(readdirSync(folder)).toEqual([]);
    expect(await withSlot(slots(true), "x/y/a.txt", used)).toBe("used");
    expect(statSync(join(folder, "x/y")).mode & 0o777).toBe(0o700);
  });

  it("asks the policy for the file and for each folder that it makes", async () => {
    const asked: string[] = [];
    const policy: FilePolicy = (path, place) => {
      asked.push(path);
      expect(place).toBe(join(folder, path));
      return null;
    };
    await withSlot({ reach: reach(policy), make: true }, "x/y/a.txt", () => Promise.resolve());
    expect(asked).toEqual(["x/y/a.txt", "x", "x/y", "x/y/a.txt"]);
    const no = { reach: reach((path) => (path === "q" ? "no" : null)), make: true };
    await expect(withSlot(no, "q/a.txt", () => Promise.resolve())).rejects.toThrow(
      "q may not be written: no",
    );
    await expect(withSlot(no, "new/q", () => Promise.resolve())).resolves.toBeUndefined();
    const noFile = { reach: reach((path) => (path === "z/q" ? "no" : null)), make: true };
    await expect(withSlot(noFile, "z/q", () => Promise.resolve())).rejects.toThrow(
      "z/q may not be written: no",
    );
    expect(readdirSync(folder)).toEqual(["new", "x"]);
  });

  it("refuses folders and names of its own drafts", async () => {
    for (const path of [".", "", "x/", "./"]) {
      await expect(withSlot(slots(true), path, () => Promise.resolve())).rejects.toThrow(
        "the path of a file",
      );
    }
    await expect(withSlot(slots(), draft, () => Promise.resolve())).rejects.toThrow("Troupe's own");
  });
});
