import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../src/base/clock.ts";
import { systemRandom } from "../src/base/ids.ts";
import { nodeProcesses } from "../src/base/process-node.ts";
import { ToolError } from "../src/base/errors.ts";
import { loadConfig, type Environment } from "../src/config/load.ts";
import { hasAppeared } from "../src/config/unwritten.ts";
import { configSchema } from "../src/core/config-schema.ts";
import type { Sandbox } from "../src/core/sandbox.ts";
import {
  cpusLeft,
  markingSandbox,
  openTerminal,
  sandboxOf,
  terminalLine,
  usesTerminal,
  type TerminalQuestion,
} from "../src/terminal.ts";
import { missing } from "./sandbox/machine.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-terminal-"));
});
afterAll(() => rm(folder, { recursive: true }));

function questionOf(config: object, rest: Partial<TerminalQuestion> = {}): TerminalQuestion {
  const world = {
    cwd: folder,
    env: { TROUPE_HOME: join(folder, "home") },
    random: systemRandom,
    clock: systemClock,
    processes: nodeProcesses,
  };
  return { config: configSchema.parse(config), file: null, baseDir: folder, world, own: [], ...rest };
}

const BOUNDS = { text: "8 processes", gap: null };
const UNSAFE = { tools: { terminal: { unsafe: true } }, toolsets: ["terminal"] };

describe("openTerminal", () => {
  it("says nothing where no agent may use it, and tries no wall", async () => {
    const terminal = await openTerminal(questionOf({}));
    expect(terminal.why).toEqual([]);
    expect(terminal.toolset.terminal?.timeoutMs).toBe(120_000);
    await terminal.close();
  });

  it.skipIf(missing !== null)("says that the walls stand where an agent may", async () => {
    const config = { agents: { builder: { toolsets: ["terminal"] } } };
    const terminal = await openTerminal(questionOf(config));
    expect(terminal.why).toEqual([
      expect.stringMatching(/^terminal: bubblewrap .*no network; its walls stand; \d+ processes[ ,]/),
    ]);
    await terminal.close();
  });

  it("shouts when there are none, by the config", async () => {
    const terminal = await openTerminal(questionOf(UNSAFE));
    expect(terminal.why).toEqual([expect.stringMatching(/^warning: .*WITHOUT A SANDBOX/)]);
    await terminal.close();
  });

  it("has no terminal in a program that can start no processes, and says so where one is asked for", async () => {
    const world = { cwd: folder, env: {}, random: systemRandom, clock: systemClock };
    const { why, toolset } = await openTerminal(questionOf({ toolsets: ["terminal"] }, { world }));
    expect(why).toEqual([expect.stringMatching(/can start no processes/)]);
    expect(toolset).toEqual({});
  });

  it("does not believe a config that agents could have written", async () => {
    const file = join(folder, "config.yaml");
    await writeFile(file, "");
    const question = questionOf({ ...UNSAFE, workspace: "." }, { file });
    await expect(openTerminal(question)).rejects.toMatchObject({ code: "unsafe_in_workspace" });
    const everywhere = questionOf({ ...UNSAFE, workspace: "/" }, { file });
    await expect(openTerminal(everywhere)).rejects.toMatchObject({ code: "unsafe_in_workspace" });
    expect(await sandboxOf(questionOf({ ...UNSAFE, workspace: "./below" }, { file }))).not.toBeNull();
  });
});

describe("tools.terminal.mounts", () => {
  const starting = (mounts: readonly string[]) =>
    openTerminal(questionOf({ tools: { terminal: { mounts } } }, { own: [join(folder, "home")] }));

  it.each([
    ["Troupe's home", () => join(folder, "home")],
    ["a folder above it", () => folder],
    ["a link that leads there", () => join(folder, "link")],
    ["what the walls keep out", () => "/proc"],
    ["a relative path", () => "tools"],
  ])("%s is refused at the start, by the key's name", async (_, mount) => {
    await mkdir(join(folder, "home"), { recursive: true });
    await symlink(join(folder, "home"), join(folder, "link")).catch(() => {});
    await expect(starting([mount()])).rejects.toMatchObject({
      code: "mount_refused",
      message: expect.stringContaining("tools.terminal.mounts") as string,
    });
  });

  it("names any other folder, there or not", async () => {
    const terminal = await starting([join(folder, "tools"), "/opt"]);
    expect(terminal.why).toEqual([]);
    await terminal.close();
  });
});

describe("a shell in a folder without a config", () => {
  const opened: string[] = [];
  const inner: Sandbox = {
    verdict: async () => ({ stands: true, kind: "walls", unsafe: false, bounds: BOUNDS }),
    open: async ({ workspace }) => {
      opened.push(workspace);
      throw new ToolError("no_workspace", "far enough");
    },
  };
  const openIn = async (workspace: string, cwd: string, env: Environment): Promise<void> => {
    const sandbox = markingSandbox(inner, { cwd, env });
    await expect(sandbox.open({ workspace, argv: ["bash"] })).rejects.toThrow("far enough");
  };
  const placed = async (name: string) => {
    const cwd = join(folder, name);
    await mkdir(join(cwd, "below"), { recursive: true });
    const env = { TROUPE_HOME: join(folder, `${name}-home`) };
    return { cwd, env, file: join(cwd, "config.yaml"), load: () => loadConfig({ cwd, env }) };
  };

  it("makes the next start refuse a config that appeared there, until a person names it", async () => {
    const { cwd, env, file, load } = await placed("bare");
    await openIn(cwd, cwd, env);
    expect((await load()).file).toBeNull();
    await writeFile(file, "log: {level: debug}\n", { mode: 0o600 });
    await expect(load()).rejects.toMatchObject({ code: "config_appeared", details: { file } });
    expect((await loadConfig({ cwd, env, path: "config.yaml" })).file).toBe(file);
    expect((await load()).file).toBe(file);
  });

  it("remembers folders without a repository, where there is a home to remember in", async () => {
    const { cwd, env } = await placed("unborn");
    const below = join(cwd, "below");
    await openIn(below, cwd, env);
    await openIn(below, cwd, {});
    expect(await hasAppeared(env.TROUPE_HOME, below)).toBe(true);
    expect(await hasAppeared(env.TROUPE_HOME, cwd)).toBe(false);
  });

  it("says nothing of one that was there before, and of a workspace that does not reach the folder", async () => {
    const { cwd, env, file, load } = await placed("written");
    await openIn(join(cwd, "below"), cwd, env);
    await writeFile(file, "", { mode: 0o600 });
    await openIn(cwd, cwd, env);
    expect((await load()).file).toBe(file);
    expect(opened.slice(-2)).toEqual([join(cwd, "below"), cwd]);
  });
});

it("cpusLeft leaves one processor to the server, and half of a single one", () => {
  expect([1, 2, 3, 16].map(cpusLeft)).toEqual([0.5, 1, 2, 15]);
});

it("usesTerminal looks at the session, at children, and at every agent", () => {
  const uses = (config: object): boolean => usesTerminal(configSchema.parse(config));
  expect(uses({})).toBe(false);
  expect(uses({ toolsets: ["terminal"] })).toBe(true);
  expect(uses({ delegation: { default_toolsets: ["file", "terminal"] } })).toBe(true);
  expect(uses({ agents: { a: { toolsets: ["terminal"] } } })).toBe(true);
});

it("terminalLine begins with a warning for everything but walls that stand", () => {
  expect(terminalLine({ stands: false, reason: "why." })).toBe("warning: terminal: closed: why.");
  expect(terminalLine({ stands: true, unsafe: true, kind: "none", bounds: BOUNDS })).toMatch(/^warning: /);
  const walls = { stands: true, unsafe: false, kind: "walls", bounds: BOUNDS } as const;
  expect(terminalLine(walls)).toBe("terminal: walls; its walls stand; 8 processes");
  const loose = { ...walls, bounds: { ...BOUNDS, gap: "not as a whole: why." } };
  expect(terminalLine(loose)).toBe("terminal: walls; its walls stand; 8 processes (not as a whole: why.)");
});
