import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { parseConfig } from "../../src/config/load.ts";
import { onSimulatedBox, SIMULATED_VRAM_BYTES, startSimulatedBox } from "../../src/cli/simulated-box.ts";

test("it answers as an Ollama that says that it is simulated, and not any more once closed", async () => {
  const box = await startSimulatedBox(systemClock);
  const response = await fetch(`${box.url}/api/version`);
  expect(response.headers.get("x-troupe-simulated")).toBe("1");
  await box.close();
  await expect(fetch(`${box.url}/api/version`)).rejects.toThrow("fetch failed");
  expect(SIMULATED_VRAM_BYTES).toBeGreaterThan(0);
});

test("a config keeps its limits and agents, and loses every model and server that it names", () => {
  const config = parseConfig(
    [
      "model: mine/big",
      "delegation: {model: mine/small, provider: mine, max_spawn_depth: 2}",
      "agents: {writer: {model: mine/big, async: true}}",
      "providers: {mine: {type: openai, base_url: https://models.example/v1, api_key: env:KEY}}",
      "gpus: [{id: gpu0, provider: mine}]",
    ].join("\n"),
    "config.yaml",
  );
  const simulated = onSimulatedBox(config, "http://127.0.0.1:1");
  expect(JSON.stringify(simulated)).not.toMatch(/mine|models\.example|env:KEY/);
  expect(simulated.delegation.max_spawn_depth).toBe(2);
  expect(simulated.agents["writer"]?.async).toBe(true);
  expect(Object.values(simulated.providers)).toMatchObject([
    { type: "ollama", base_url: "http://127.0.0.1:1" },
  ]);
});
