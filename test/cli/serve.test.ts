import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { serve as listenTo } from "../../src/base/listen.ts";
import { curlLine } from "../../src/cli/serve.ts";
import { startSimulatedBox, type RunningBox } from "../../src/cli/simulated-box.ts";
import { NOBODY, newHome } from "./home.ts";
import { runLine, ScriptedTerminal } from "./scripted-terminal.ts";

let box: RunningBox;
beforeAll(async () => {
  box = await startSimulatedBox(systemClock);
});
afterAll(() => box.close());

describe("a server that starts", () => {
  test("says where it is and why it runs what, answers, and stops in order at Ctrl-C", async () => {
    const { home, cwd, env } = await newHome();
    const terminal = new ScriptedTerminal({ env: { ...env, OLLAMA_HOST: box.url }, cwd });
    const serving = runLine(["serve", "--port", "0"], terminal);
    await terminal.until(({ err }) => err.includes("curl"));
    const url = /serves at (\S+);/.exec(terminal.err)?.[1] ?? "";
    expect(terminal.err).toMatch(/parent: ollama\/sim-orchestrator\S*, the largest/);
    expect(terminal.err).toContain(`workspace: ${cwd}`);
    expect(terminal.err).toContain(`token: ${join(home, "token")} (new)`);
    expect(terminal.out).toBe("");
    expect((await stat(join(home, "token"))).mode & 0o777).toBe(0o600);
    const other = new ScriptedTerminal({ env, cwd });
    expect(await runLine(["tree", "--url", url], other)).toBe(0);
    terminal.pressCtrlC();
    expect(await serving).toBe(0);
    expect(terminal.err).toMatch(/Stopping\.\nStopped\.\n$/);
    expect(await runLine(["tree", "--url", url], other)).toBe(7);
  });

  test("--simulate needs no Ollama, says loudly what it is, and --json gives one line on stdout", async () => {
    const { home, cwd, env } = await newHome("server: {port: 0}\nmodel: cloud/gpt\nworkspace: .");
    const terminal = new ScriptedTerminal({ env, cwd });
    const serving = runLine(["serve", "--simulate", "--json"], terminal);
    await terminal.until(({ lines }) => lines.length > 0);
    const announced = JSON.parse(terminal.out) as { url: string };
    expect(announced).toMatchObject({ token_file: join(home, "token"), simulated: true });
    await terminal.until(({ err }) => err.includes("SIMULATED"));
    const client = new ScriptedTerminal({ env: { ...env, TROUPE_URL: announced.url }, cwd });
    await writeFile(join(cwd, "notes.txt"), "one line\n");
    expect(await runLine(["delegate", "Read notes.txt"], client)).toBe(0);
    expect(client.out).toContain("notes.txt: 1 line");
    expect(await runLine(["delegate", "Read notes.txt again", "--async"], client)).toBe(0);
    terminal.pressCtrlC();
    expect(await serving).toBe(0);
    expect(terminal.err).toContain("Stopping with 1 living task; this store is in memory");
    expect(terminal.lines).toHaveLength(1);
  });
});

describe("a server that cannot start says what to do, with exit code 3", () => {
  test("without a model server", async () => {
    const { cwd, env } = await newHome();
    const terminal = new ScriptedTerminal({ env, cwd });
    expect(await runLine(["serve", "--port", "0"], terminal)).toBe(3);
    expect(terminal.err).toContain(NOBODY);
    expect(terminal.err).toMatch(/ollama serve[\s\S]*ollama pull [\s\S]*npm run demo/);
    for (const once of [NOBODY, "ollama serve", "Expected"]) {
      expect(terminal.err.split(once)).toHaveLength(2);
    }
  });

  test("when the port is taken", async () => {
    const taken = await listenTo(() => new Response(), { hostname: "127.0.0.1", port: 0 });
    const { cwd, env } = await newHome();
    const terminal = new ScriptedTerminal({ env: { ...env, OLLAMA_HOST: box.url }, cwd });
    expect(await runLine(["serve", "--port", String(taken.port)], terminal)).toBe(3);
    expect(terminal.err).toMatch(/another program listens there[\s\S]*--port/);
    await taken.close();
  });

  test("when the home cannot be written", async () => {
    const { cwd, env } = await newHome();
    const terminal = new ScriptedTerminal({ env: { ...env, TROUPE_HOME: "/proc/nowhere/troupe" }, cwd });
    expect(await runLine(["serve", "--port", "0", "--json"], terminal)).toBe(3);
    expect(JSON.parse(terminal.err)).toMatchObject({
      error: { message: expect.stringContaining("TROUPE_HOME") },
    });
  });

  test("when the config has a typo, with its line", async () => {
    const { cwd, env } = await newHome("server:\n  prot: 1\n");
    const terminal = new ScriptedTerminal({ env, cwd });
    expect(await runLine(["serve"], terminal)).toBe(3);
    expect(terminal.err).toMatch(/config\.yaml:2:3: server\.prot is not a key\. Did you mean port\?/);
  });

  test("when it would be open to the network", async () => {
    const { cwd, env } = await newHome();
    const terminal = new ScriptedTerminal({ env, cwd });
    expect(await runLine(["serve", "--simulate", "--host", "0.0.0.0", "--port", "0"], terminal)).toBe(3);
    expect(terminal.err).toContain("server.insecure_allow_remote");
  });

  test.each(["65536", "-1", "http"])("with --port=%s, which is wrong use", async (port) => {
    const { cwd, env } = await newHome();
    const terminal = new ScriptedTerminal({ env, cwd });
    expect(await runLine(["serve", `--port=${port}`], terminal)).toBe(2);
  });
});

test("the token rides in the address on a person's screen, and nowhere else", async () => {
  for (const isScreen of [true, false]) {
    const { home, cwd, env } = await newHome("server: {port: 0}\nworkspace: .");
    const terminal = new ScriptedTerminal({ env: { ...env, NO_COLOR: "1" }, cwd, isScreen });
    const serving = runLine(["serve", "--simulate"], terminal);
    await terminal.until(({ err }) => err.includes("curl"));
    const token = (await readFile(join(home, "token"), "utf8")).trim();
    const url = /serves at (\S+);/.exec(terminal.err)?.[1] ?? "";
    expect(url.endsWith(`/#token=${token}`)).toBe(isScreen);
    expect(terminal.err.split(token)).toHaveLength(isScreen ? 2 : 1);
    expect(terminal.err.split("http://127.0.0.1:").length).toBeLessThanOrEqual(4);
    terminal.pressCtrlC();
    expect(await serving).toBe(0);
  }
});

test("the curl line keeps the token out of the list of processes and survives a quote in the path", () => {
  expect(curlLine("http://127.0.0.1:1", "/it's/token")).toBe(
    `printf 'Authorization: Bearer %s' "$(cat '/it'\\''s/token')" | curl -H @- http://127.0.0.1:1/v1/tree`,
  );
});
