import { expect, test } from "vitest";
import { DEFAULT_SIMULATOR_CONFIG, taggedName } from "../../src/simulator/config.ts";
import { FIT_SHARE, predictedBytes } from "../../src/simulator/placement.ts";

const { models, gpus, slots } = DEFAULT_SIMULATOR_CONFIG;
const bytes = models.map((model) => predictedBytes(model, 16_384, slots));

test("the orchestrator is the largest model with tools, and the worker the only smaller one", () => {
  const able = models.filter((model) => model.tools).toSorted((a, b) => b.sizeBytes - a.sizeBytes);
  expect(able.map((model) => model.name)).toEqual(["sim-orchestrator", "sim-worker"]);
});

test("orchestrator and worker fit together on the default GPU, whichever is loaded first", () => {
  const vram = gpus[0]?.vramBytes ?? 0;
  const [orchestrator = 0, worker = 0] = bytes;
  expect(worker).toBeLessThanOrEqual((vram - orchestrator) * FIT_SHARE);
  expect(orchestrator).toBeLessThanOrEqual((vram - worker) * FIT_SHARE);
});

test("every default model says by its name that it is simulated", () => {
  expect(models.every((model) => model.name.startsWith("sim-"))).toBe(true);
});

test("a name without a tag means the latest", () => {
  expect([taggedName("a"), taggedName("a:1")]).toEqual(["a:latest", "a:1"]);
});
