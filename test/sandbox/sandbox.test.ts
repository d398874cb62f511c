import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { nodeProcesses } from "../../src/base/process-node.ts";
import { outputOf, type ProcessHost } from "../../src/base/process.ts";
import type { LocalSandbox } from "../../src/sandbox/sandbox.ts";
import { makeGround, missing, sandboxHere, type Ground } from "./machine.ts";

let ground: Ground;
beforeEach(() => {
  ground = makeGround();
});
afterEach(() => ground.remove());

async function inside(sandbox: LocalSandbox, script: string): Promise<{ out: string; err: string }> {
  const argv = ["bash", "-c", script] as const;
  const process = await sandbox.open({ workspace: ground.workspace, argv });
  const { stdout, stderr } = await outputOf(process, { maxBytes: 10_000 });
  return { out: stdout, err: stderr };
}

const TOUCH = 'for each in lent elsewhere; do touch $each/new 2>/dev/null && echo " $each written"; done';

/** A machine whose bubblewrap is not found: nothing that is asked for its version answers. */
const withoutBubblewrap: ProcessHost = {
  start: (spec) => nodeProcesses.start(spec),
  run: () => Promise.reject(new Error("ENOENT")),
};

describe.skipIf(missing !== null)("LocalSandbox", () => {
  it("N1 stands on this machine, and says so once for all", async () => {
    const sandbox = sandboxHere();
    expect(await sandbox.verdict()).toMatchObject({ stands: true, unsafe: false });
    expect(sandbox.verdict()).toBe(sandbox.verdict());
  });

  it("N1 opens nothing where a try of the self-test works", async () => {
    // Walls with a hole: the program that builds them is told to show the whole machine.
    const leaky: ProcessHost = {
      ...nodeProcesses,
      start: (spec) => {
        const argv = spec.argv.flatMap((word) => (word === "--proc" ? ["--bind", "/", "/", word] : [word]));
        return nodeProcesses.start({ ...spec, argv: argv as unknown as typeof spec.argv });
      },
    };
    const sandbox = sandboxHere({}, { processes: leaky });
    expect(await sandbox.verdict()).toMatchObject({ stands: false });
    await expect(inside(sandbox, "true")).rejects.toMatchObject({ code: "sandbox_unavailable" });
  });

  it("N1 opens nothing where the self-test does not come to its end in time", async () => {
    const clock = new SimulatedClock();
    const stuck: ProcessHost = {
      ...nodeProcesses,
      start: (spec) => nodeProcesses.start({ ...spec, argv: ["sleep", "1000"] }),
    };
    let isJudged = false;
    const judging = sandboxHere({}, { processes: stuck, clock })
      .verdict()
      .finally(() => (isJudged = true));
    while (!isJudged) {
      await clock.advance(10_000);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    expect(await judging).toMatchObject({
      stands: false,
      reason: expect.stringContaining("longer than 30 s"),
    });
  });

  it("N3 runs in the workspace, as nobody special, with an environment that is a list", async () => {
    const { out } = await inside(sandboxHere(), "pwd; id -u; cat /proc/1/environ | wc -c; touch made");
    const [folder, uid, environ] = out.split("\n");
    expect(folder).toBe(ground.workspace);
    expect(Number(uid)).toBeGreaterThan(0);
    expect(environ).toBe("0");
    expect(readFileSync(join(ground.workspace, "made"), "utf8")).toBe("");
  });

  it("runs nothing of a .bashrc before its guard, in a workspace that is the home of commands too", async () => {
    const { workspace } = ground;
    writeFileSync(join(workspace, ".bashrc"), "echo early\n");
    // What lies at /tmp inside is the workspace, as for a server whose workspace is /tmp.
    const atHome: ProcessHost = {
      ...nodeProcesses,
      start: (spec) => {
        const argv = spec.argv.map((word, at) => (spec.argv[at - 1] === "HOME" ? workspace : word));
        return nodeProcesses.start({ ...spec, argv: argv as unknown as typeof spec.argv });
      },
    };
    const sandbox = sandboxHere({}, { processes: atHome });
    const run = async (argv: readonly [string, ...string[]]): Promise<string> =>
      (await outputOf(await sandbox.open({ workspace, argv }), { maxBytes: 1_000 })).stdout;
    expect(await run(["printenv", "HOME"])).toBe(`${workspace}\n`);
  });

  it("keeps git's folder and Troupe's config as they are, and lets them be read", async () => {
    const { workspace } = ground;
    mkdirSync(join(workspace, ".git"));
    chmodSync(join(workspace, ".git"), 0o777);
    writeFileSync(join(workspace, ".git/config"), "[core]\n");
    writeFileSync(join(workspace, "config.yaml"), "model: a\n");
    for (const path of [".git/config", "config.yaml"]) chmodSync(join(workspace, path), 0o666);
    const sandbox = sandboxHere({}, { kept: [join(workspace, "config.yaml")] });
    const tries = [
      "echo x >.git/config",
      "mkdir .git/hooks",
      "echo ../evil >.git/commondir",
      "echo x >.git/config.worktree",
      "mkdir -p .git/modules/a",
      "mv .git old",
      "rm -rf .git",
      "mv .git/config .git/old",
      "echo x >config.yaml",
      "mv config.yaml old.yaml",
      "ln -sf /etc/passwd config.yaml",
    ];
    const { out } = await inside(
      sandbox,
      ["cat .git/config", ...tries.map((each) => `(${each}) 2>/dev/null && echo 'did: ${each}'`)].join("\n"),
    );
    expect(out).toBe("[core]\n");
    expect(readdirSync(join(workspace, ".git"))).toEqual(["config"]);
  });

  it("shows folders beside the workspace where it is told to, for reading or for writing, and no link", async () => {
    const { base, workspace } = ground;
    for (const name of ["lent", "own"]) {
      mkdirSync(join(base, name));
      writeFileSync(join(base, name, "file"), name);
      chmodSync(join(base, name), 0o777);
    }
    symlinkSync(join(base, "lent"), join(base, "link"));
    const sandbox = sandboxHere();
    const argv = [
      "bash",
      "-c",
      `cat ${base}/lent/file ${base}/elsewhere/file; cd ${base}; ${TOUCH}`,
    ] as const;
    const lent = { path: join(base, "lent"), at: join(base, "lent"), writable: false };
    const own = { path: join(base, "own"), at: join(base, "elsewhere"), writable: true };
    const { stdout } = await outputOf(await sandbox.open({ workspace, argv, shown: [lent, own] }), {
      maxBytes: 1_000,
    });
    expect(stdout).toBe("lentown elsewhere written\n");
    expect([existsSync(join(base, "lent/new")), existsSync(join(base, "own/new"))]).toEqual([false, true]);
    const led = sandbox.open({ workspace, argv, shown: [{ ...lent, path: join(base, "link") }] });
    await expect(led).rejects.toMatchObject({ code: "no_workspace" });
  });

  it("says so when the workspace cannot be written by whom the commands run as", async () => {
    chmodSync(ground.workspace, 0o555);
    const { err } = await inside(sandboxHere(), "true");
    expect(err).toMatch(/troupe: the workspace cannot be written by uid \d+/);
  });
});

describe("LocalSandbox without walls", () => {
  it("is closed where bubblewrap cannot be asked, and names what to do", async () => {
    const sandbox = sandboxHere({}, { processes: withoutBubblewrap });
    expect(await sandbox.verdict()).toMatchObject({
      stands: false,
      reason: expect.stringMatching(/bubblewrap/),
    });
    await expect(sandbox.open({ workspace: ground.workspace, argv: ["true"] })).rejects.toMatchObject({
      code: "sandbox_unavailable",
      message: expect.stringMatching(/tools\.terminal\.unsafe/) as string,
    });
  });

  it("runs bare only where the config says so, with the same environment and the same workspaces", async () => {
    const sandbox = sandboxHere({ unsafe: true }, { processes: withoutBubblewrap, own: ["/srv/troupe"] });
    expect(await sandbox.verdict()).toEqual({
      stands: true,
      unsafe: true,
      kind: expect.any(String) as string,
      bounds: { text: "no bounds", gap: "tools.terminal.unsafe is true" },
    });
    const { out } = await inside(sandbox, "pwd; env | cut -d= -f1 | sort | tr '\\n' ' '");
    expect(out).toMatch(new RegExp(`^${ground.workspace}\\n`));
    expect(out).not.toMatch(/TROUPE|NODE|npm/);
    await expect(sandbox.open({ workspace: "/srv/troupe", argv: ["true"] })).rejects.toMatchObject({
      code: "no_workspace",
    });
  });
});
