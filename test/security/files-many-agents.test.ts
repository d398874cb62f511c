// T45 and T46 of the acceptance suite: agents that share a file, and people who share the machine. Each with a positive
// control, as in files.test.ts.

import { execFile } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { FileStage } from "./file-stage.ts";
import { naiveFiles } from "./file-naive.ts";

const stage = new FileStage();

describe("T45 two agents and one file", () => {
  const COUNT = 20;
  it("of changes that all began from one version one is made, and every other is told why", async () => {
    writeFileSync(join(stage.workspace, "list.txt"), "items:\n");
    const agents = Array.from({ length: COUNT }, (_, n) => `task_${n}`);
    for (const taskId of agents) await stage.call("read_file", { path: "list.txt" }, { taskId });
    const edit = (n: number) => ({ path: "list.txt", old_text: "items:\n", new_text: `items:\nfrom ${n}\n` });
    const ends = await Promise.all(agents.map((taskId, n) => stage.code("edit_file", edit(n), { taskId })));
    expect(ends.filter((end) => end.startsWith("accepted"))).toHaveLength(1);
    expect(ends.filter((end) => end === "conflict")).toHaveLength(COUNT - 1);
    expect(readFileSync(join(stage.workspace, "list.txt"), "utf8")).toMatch(/^items:\nfrom \d+\n$/);
  });

  it("who reads again after each conflict loses nothing of anybody", async () => {
    writeFileSync(join(stage.workspace, "list.txt"), "items:\n");
    const add = async (n: number): Promise<void> => {
      const edit = { path: "list.txt", old_text: "items:\n", new_text: `items:\nfrom ${n}.\n` };
      for (let end = "conflict"; !end.startsWith("accepted");) {
        await stage.call("read_file", { path: "list.txt" }, { taskId: `task_${n}` });
        end = await stage.code("edit_file", edit, { taskId: `task_${n}` });
      }
    };
    await Promise.all(Array.from({ length: COUNT }, (_, n) => add(n)));
    const text = readFileSync(join(stage.workspace, "list.txt"), "utf8");
    for (let n = 0; n < COUNT; n++) expect(text).toContain(`from ${n}.\n`);
  });

  it("the loser is told who changed it, and what to do", async () => {
    await stage.call("read_file", { path: "a.txt" });
    await stage.call("read_file", { path: "a.txt" }, { taskId: "task_2" });
    await stage.call("edit_file", { path: "a.txt", old_text: "one", new_text: "1" }, { taskId: "task_2" });
    await expect(stage.call("write_file", { path: "a.txt", content: "mine" })).rejects.toThrow(
      /changed by the task task_2: you know version \w+ \(14 bytes\), it is now \w+ \(12 bytes\)\. Call read_file again/,
    );
  });

  it("control: naive tools lose all changes but one", async () => {
    const naive = naiveFiles(stage.workspace);
    await naive.write("list.txt", "items:\n");
    const read = await Promise.all(Array.from({ length: COUNT }, () => naive.read("list.txt")));
    for (const [n, text] of read.entries()) await naive.write("list.txt", `${text}from ${n}.\n`);
    expect((await naive.read("list.txt")).match(/from/g)).toHaveLength(1);
  });
});

describe("T46 who may read what was made", () => {
  it.each(["0", "22", "77"])("files are 0600 and folders 0700 under umask %s", async (umask) => {
    const probe = join(import.meta.dirname, "file-probe.ts");
    await promisify(execFile)(process.execPath, [probe, umask, stage.workspace]);
    expect(statSync(join(stage.workspace, "new/deep/a.txt")).mode & 0o777).toBe(0o600);
    for (const folder of ["new", "new/deep"]) {
      expect(statSync(join(stage.workspace, folder)).mode & 0o777).toBe(0o700);
    }
  });

  it("control: naive tools make files that the group may read", async () => {
    await naiveFiles(stage.workspace).write("new/a.txt", "x");
    const open = statSync(join(stage.workspace, "new/a.txt")).mode & 0o777 & ~process.umask();
    expect(open).toBe(0o666 & ~process.umask());
  });
});
