import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { parseConfig } from "../../src/config/load.ts";
import { startSimulatedBox } from "../../src/cli/simulated-box.ts";
import { survey } from "../../src/cli/survey.ts";
import { NOBODY, newHome } from "./home.ts";
import { ScriptedTerminal, worldFor } from "./scripted-terminal.ts";

test("tells which servers answer and what they have, and who does not", async () => {
  const box = await startSimulatedBox(systemClock);
  const { cwd, env } = await newHome();
  const text = `providers: {here: {type: auto, base_url: '${box.url}/v1'}, gone: {type: ollama, base_url: '${NOBODY}'}}`;
  const loaded = { config: parseConfig(text, "config.yaml"), file: null, baseDir: cwd };
  const found = await survey(loaded, worldFor(new ScriptedTerminal({ env, cwd })));
  await box.close();
  expect(found.plans.map(({ name }) => name)).toEqual(["here", "gone"]);
  expect(found.discovery.providers["here"]).toMatchObject({
    type: "ollama",
    reachable: true,
    simulated: true,
  });
  expect(found.discovery.providers["gone"]).toMatchObject({ reachable: false });
  expect(found.gpus.problem).toBe("nvidia-smi is not installed");
});
