import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { serve as listenTo } from "../../src/base/listen.ts";
import { startSimulatedBox, type RunningBox } from "../../src/cli/simulated-box.ts";
import { newHome } from "./home.ts";
import { runLine, ScriptedTerminal } from "./scripted-terminal.ts";
import { serveScripted } from "./served.ts";

interface Report {
  readonly problems: number;
  readonly checks: readonly { about: string; level: string; text: string; mend: string | null }[];
}

let box: RunningBox;
beforeAll(async () => {
  box = await startSimulatedBox(systemClock);
});
afterAll(() => box.close());

async function examined(env: Record<string, string>, cwd: string): Promise<{ code: number; report: Report }> {
  const terminal = new ScriptedTerminal({ env, cwd });
  const code = await runLine(["doctor", "--json"], terminal);
  expect(terminal.err).toBe("");
  return { code, report: JSON.parse(terminal.out) as Report };
}

describe("where all is well", () => {
  test("exit code 0, a line for each thing, and what the models can do", async () => {
    const { cwd, env } = await newHome("server: {port: 9}");
    const terminal = new ScriptedTerminal({ env: { ...env, OLLAMA_HOST: box.url }, cwd });
    expect(await runLine(["doctor"], terminal)).toBe(0);
    for (const about of [
      "runtime",
      "platform",
      "config",
      "token",
      "store",
      "gpu",
      "ollama",
      "model",
      "choice",
      "server",
    ]) {
      expect(terminal.out).toMatch(new RegExp(`^(ok|warn) +${about} `, "m"));
    }
    expect(terminal.out).toMatch(/sim-worker:latest: 2\.0 GiB, 3\.0B, tools, context 32768/);
    expect(terminal.out).toMatch(/→ Without a GPU/);
    expect(terminal.err).toBe("Nothing is in the way.\n");
  });

  test("it sees the cards, what is loaded, and the server that runs", async () => {
    const served = await serveScripted();
    const { cwd, env } = await newHome(`server: {port: ${new URL(served.url).port}}`);
    await writeFile(join(cwd, "nvidia-smi"), "#!/bin/sh\necho '0, Card, 12288, 5, 1.0'\n");
    await chmod(join(cwd, "nvidia-smi"), 0o755);
    const body = JSON.stringify({
      model: "sim-worker",
      messages: [{ role: "user", content: "hi" }],
      stream: false,
    });
    await fetch(`${box.url}/api/chat`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
    const { code, report } = await examined(
      { ...env, OLLAMA_HOST: box.url, PATH: `${cwd}:/bin:/usr/bin` },
      cwd,
    );
    await served.close();
    const texts = report.checks.map(({ about, text }) => `${about}: ${text}`);
    expect(code).toBe(0);
    expect(texts).toContainEqual(expect.stringMatching(/^gpu: GPU 0: Card, 12\.0 GiB/));
    expect(texts).toContainEqual(
      expect.stringMatching(/^gpu: ollama has sim-worker:latest loaded: .*100 % on the GPU/),
    );
    expect(texts).toContainEqual(
      expect.stringMatching(/^choice: children: ollama\/sim-worker\S* a smaller model/),
    );
    expect(texts).toContainEqual(`server: a Troupe server answers at ${served.url}`);
  });
});

describe("what is wrong is found all at once, with exit code 3", () => {
  test("a typo, a token that others can read; and of servers that only a whole config names, nothing", async () => {
    const { home, cwd, env } = await newHome("workspce: .\n");
    await mkdir(home, { mode: 0o700 });
    await writeFile(join(home, "token"), `${"a".repeat(64)}\n`);
    await chmod(join(home, "token"), 0o644);
    const { code, report } = await examined(env, cwd);
    const problems = report.checks.filter(({ level }) => level === "problem");
    expect(code).toBe(3);
    expect(problems.map(({ about }) => about)).toEqual(["config", "token"]);
    expect(report.checks.map(({ about }) => about)).toEqual([
      "runtime",
      "platform",
      "config",
      "token",
      "rest",
    ]);
    expect(problems[0]?.text).toMatch(/config\.yaml:1:1: workspce is not a key\. Did you mean workspace\?/);
    expect(problems[1]?.text).toContain("chmod 600");
  });

  test("no Ollama", async () => {
    const { cwd, env } = await newHome();
    const { code, report } = await examined(env, cwd);
    const problems = report.checks.filter(({ level }) => level === "problem");
    expect([code, report.problems]).toEqual([3, 1]);
    expect(problems[0]).toMatchObject({
      about: "ollama",
      mend: expect.stringContaining("ollama serve") as string,
    });
  });

  test("a home that cannot be made, and a port that something else has", async () => {
    const taken = await listenTo(() => new Response("another program"), { hostname: "127.0.0.1", port: 0 });
    const { home, cwd, env } = await newHome(`server: {port: ${taken.port}}`);
    await writeFile(home, "a file in the folder's place");
    const { report } = await examined(
      { ...env, TROUPE_HOME: join(home, "deeper"), OLLAMA_HOST: box.url },
      cwd,
    );
    await taken.close();
    expect(report.checks.find(({ about }) => about === "token")?.level).toBe("problem");
    expect(report.checks.find(({ about }) => about === "server")?.text).toContain("something else answers");
  });

  test("the server that TROUPE_URL names is looked at, not the config's; a wrong TROUPE_URL is a problem", async () => {
    const served = await serveScripted();
    const { cwd, env } = await newHome("server: {port: 9}");
    const named = await examined({ ...env, TROUPE_URL: served.url }, cwd);
    await served.close();
    const about = ({ report }: { report: Report }) => report.checks.find((check) => check.about === "server");
    expect(about(named)?.text).toBe(`a Troupe server answers at ${served.url}`);
    expect(about(await examined({ ...env, TROUPE_URL: "nowhere" }, cwd))).toMatchObject({
      level: "problem",
      text: expect.stringContaining("Expected TROUPE_URL") as string,
    });
  });

  test("an OLLAMA_HOST that is no address", async () => {
    const { cwd, env } = await newHome();
    const { report } = await examined({ ...env, OLLAMA_HOST: "ftp://x" }, cwd);
    expect(report.checks.find(({ about }) => about === "providers")?.text).toContain("OLLAMA_HOST");
  });
});
