import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { parseConfig } from "../../src/config/load.ts";
import { startSimulatedBox, type RunningBox } from "../../src/cli/simulated-box.ts";
import { newHome } from "./home.ts";
import { runLine, ScriptedTerminal } from "./scripted-terminal.ts";

let box: RunningBox;
beforeAll(async () => {
  box = await startSimulatedBox(systemClock);
});
afterAll(() => box.close());

test("writes a config of what was found, which loads; never over another without --force", async () => {
  const { cwd, env } = await newHome();
  const found = { ...env, OLLAMA_HOST: box.url };
  const first = new ScriptedTerminal({ env: found, cwd });
  const file = join(cwd, "config.yaml");
  expect(await runLine(["init"], first)).toBe(0);
  expect(first.out).toBe(`${file}\n`);
  expect(first.err).toContain("parent: ollama/sim-orchestrator:latest");
  const text = await readFile(file, "utf8");
  expect(parseConfig(text, file)).toMatchObject({
    model: "ollama/sim-orchestrator:latest",
    store: { path: "troupe.db", durability: "full" },
  });
  const second = new ScriptedTerminal({ env: found, cwd });
  expect(await runLine(["init"], second)).toBe(3);
  expect(second.err).toContain("--force");
  expect(await runLine(["init", "--force", "--json"], second)).toBe(0);
  expect(JSON.parse(second.out)).toMatchObject({ file, problem: null });
});

test("without a model server it writes one all the same, and says so", async () => {
  const { cwd, env } = await newHome();
  const terminal = new ScriptedTerminal({ env, cwd });
  expect(await runLine(["init", "--config", "sub/other.yaml"], terminal)).toBe(0);
  expect(terminal.err).toMatch(/written without models\. .*ollama serve/);
  expect(parseConfig(await readFile(join(cwd, "sub/other.yaml"), "utf8"), "f").model).toBeUndefined();
});
