import { describe, expect, test } from "vitest";
import { defaultContext, serves, setupFor, slotsOf } from "../../src/simulator/runner-setup.ts";
import { model, SMALL } from "./fixtures.ts";

const GIB = 1_024 ** 3;
const config = { ...SMALL, defaultContextTokens: 4_096 };

const setup = (
  contextTokens: number | null,
  runnerOptions: Readonly<Record<string, unknown>> = {},
  options: Readonly<Record<string, unknown>> = {},
) => setupFor({ model: model("a", { options }), contextTokens, runnerOptions }, config);

test.each([
  [[12], 4_096],
  [[23], 32_768],
  [[24, 24], 262_144],
])("GPUs of %j GiB give a context of %i to who names none", (gib, tokens) => {
  const gpus = gib.map((size, at) => ({ id: `gpu${at}`, vramBytes: size * GIB }));
  expect(defaultContext({ gpus, defaultContextTokens: null })).toBe(tokens);
});

test.each([
  [{ family: "qwen35" }, 1],
  [{ family: "llama" }, 4],
  [{}, 4],
  [{ family: "qwen35", slots: 2 }, 2],
])("a model with %j has %i slots of the four configured", (more, slots) => {
  expect(slotsOf(model("a", more), 4)).toBe(slots);
});

describe("what reloads a model", () => {
  test.each([
    ["another context", setup(4_096), setup(8_192), false],
    ["the same context, asked for or chosen", setup(null), setup(4_096), true],
    [
      "no context named by either, whatever was chosen",
      { ...setup(null), contextTokens: 99 },
      setup(null),
      true,
    ],
    ["a context beyond what the model was made for, twice", setup(99_999), setup(88_888), true],
    ["sampling alone", setup(null), setup(null, { temperature: 1, seed: 2, num_predict: 3 }), true],
    ["another batch", setup(null), setup(null, { num_batch: 256 }), false],
    ["threads that nobody had asked for", setup(null), setup(null, { num_thread: 1 }), false],
    ["layers that the server may choose", setup(null, { num_gpu: 20 }), setup(null, { num_gpu: -1 }), true],
    ["layers that nobody names", setup(null, { num_gpu: 20 }), setup(null), true],
    ["other layers", setup(null, { num_gpu: 20 }), setup(null, { num_gpu: 30 }), false],
    ["another main GPU", setup(null, { main_gpu: 0 }), setup(null, { main_gpu: 1 }), false],
    ["a shift that is off now", setup(null), setup(null, { shift: false }), false],
    [
      "an option of the model that the request repeats",
      setup(null, {}, { num_thread: 1 }),
      setup(null, { num_thread: 1 }),
      true,
    ],
    ["the model's own context that the request repeats", setup(null, {}, { num_ctx: 512 }), setup(512), true],
    ["the model's own context against the server's", setup(null, {}, { num_ctx: 512 }), setup(null), false],
  ])("%s", (...row) => {
    const [, running, wanted, expected] = row;
    expect(serves(running, wanted)).toBe(expected);
  });
});
