import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SimulatedClock, systemClock } from "../src/base/clock.ts";
import { messageOf } from "../src/base/errors.ts";
import type { ProcessHost, RunResult } from "../src/base/process.ts";
import { nodeProcesses } from "../src/base/process-node.ts";
import { failed, Git, mainLine } from "../src/git-runner.ts";
import { makeRepository } from "./git-repository.ts";

let base: string;
let repository: string;
beforeEach(() => {
  ({ base, repository } = makeRepository());
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const runner = (run: ProcessHost["run"] = (...asked) => nodeProcesses.run(...asked)) =>
  new Git({
    processes: { run },
    clock: systemClock,
    folder: repository,
    searchPath: process.env["PATH"] ?? "",
  });
const answering = (result: Partial<RunResult>) =>
  runner(() => Promise.resolve({ code: 0, stdout: "", stderr: "", truncated: false, ...result }));

describe("Git", () => {
  it("answers with a text, with a name, or with yes and no", async () => {
    const git = runner();
    expect(await git.text(["branch", "--show-current"], {})).toBe("main");
    expect(await git.name(["rev-parse", "HEAD"], {})).toMatch(/^[0-9a-f]{40}$/);
    expect(await git.holds(["rev-parse", "--quiet", "--verify", "HEAD"], {})).toBe(true);
    expect(await git.holds(["rev-parse", "--quiet", "--verify", "gone"], {})).toBe(false);
  });

  it("takes no silence for a name, and no crash for a no", async () => {
    await expect(answering({}).name(["rev-parse"], {})).rejects.toThrow(/git rev-parse answered ""/);
    await expect(answering({ code: 128, stderr: "hint: x\nfatal: y" }).holds(["diff"], {})).rejects.toThrow(
      /git diff says: fatal: y/,
    );
    await expect(answering({ code: null }).text(["gc"], {})).rejects.toMatchObject({
      code: "worktree_failed",
    });
  });

  it("reads a file where it is told to", async () => {
    const file = join(base, "a file");
    writeFileSync(file, "text");
    mkdirSync(join(base, "x"));
    const name = await runner().name(["hash-object", "--stdin"], { stdin: file });
    expect(name).toBe(await runner().name(["hash-object", file], {}));
  });

  it("gives a command up that takes for ever", async () => {
    const clock = new SimulatedClock();
    const run: ProcessHost["run"] = (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
      });
    const git = new Git({ processes: { run }, clock, folder: repository, searchPath: "" });
    const asked = git.text(["fetch"], {}).catch(messageOf);
    await clock.advance(300_000);
    expect(await asked).toMatch(/longer than 300 s/);
  });
});

describe("what a failure says", () => {
  it("is the line that matters, without control characters", () => {
    expect(mainLine("hint: a\nfatal: \u001b[31mb\n")).toBe("fatal:  [31mb");
    expect(mainLine("")).toBe("");
    expect(failed("x").message).toBe("No worktree for the task: x.");
  });
});
