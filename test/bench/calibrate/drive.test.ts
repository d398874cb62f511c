// What a workload asks of a server, played on the simulated one: the answers that a real one was seen to give.

import { describe, expect, test } from "vitest";
import { bodyOf, outcomeOf } from "../../../bench/calibrate/drive.ts";
import { middleFit, simulate, type SpeedFit } from "../../../bench/calibrate/simulated.ts";
import { WORKLOADS } from "../../../bench/calibrate/workloads.ts";

const FIT: SpeedFit = {
  loadMs: 50,
  unloadMs: 5,
  prefillTokensPerS: 10_000,
  decodeTokensPerS: 4_000,
  batchSlowdown: 0.8,
};

async function played(name: string, parallel: number) {
  const workload = WORKLOADS.find((each) => each.name === name);
  if (!workload) throw new Error(`no workload ${name}`);
  return simulate(workload, { parallel, maxQueue: workload.maxQueue ?? 512 }, FIT);
}

describe("a workload", () => {
  test.each([
    ["one_model", 1],
    ["two_models", 2],
    ["while_starting", 3],
    ["steady_stream", 2],
    ["contexts", 4],
    ["queue_thrash", 5],
    ["keep_alive_0", 3],
    ["full_queue", 2],
    ["revived", 2],
    ["cancelled", 2],
  ])("%s takes %i loads with one slot and with four, as with Ollama v0.24.0", async (name, loads) => {
    for (const parallel of [1, 4]) expect((await played(name, parallel)).loads).toBe(loads);
  });

  test("writes each answer to the token, and takes them in order", async () => {
    const { requests } = await played("one_model", 1);
    expect(requests.map(({ outputTokens }) => outputTokens)).toEqual([1, 700, 350, 600, 250, 500, 150]);
    const ends = requests.map(({ endMs }) => endMs);
    expect(ends).toEqual(ends.toSorted((a, b) => a - b));
  });

  test("tells who was refused and who left", async () => {
    const full = await played("full_queue", 1);
    expect(full.requests.map(({ ended }) => ended)).toEqual(["done", "done", "done", "done", "busy", "busy"]);
    const cancelled = await played("cancelled", 1);
    expect(cancelled.requests.map(({ ended }) => ended)).toEqual(["done", "gone", "done"]);
  });

  test("lets a revived model stand until its keep-alive has passed", async () => {
    const { requests } = await played("revived", 4);
    expect((requests[1]?.endMs ?? 0) - (requests[2]?.endMs ?? 0)).toBeGreaterThan(2_000);
  });
});

test("several measurements are one, each figure its median", () => {
  const fits = [1, 5, 3].map((factor) => ({ ...FIT, loadMs: 50 * factor, decodeTokensPerS: 4_000 / factor }));
  expect(middleFit(fits)).toEqual({ ...FIT, loadMs: 150, decodeTokensPerS: 4_000 / 3 });
});

test("a request is what a program would send", () => {
  const body = bodyOf(
    { model: "a", tokens: 5, keepAliveS: 0, contextTokens: 512, prompt: { word: "x", times: 3 } },
    "m",
  );
  expect(JSON.parse(body)).toEqual({
    model: "m",
    stream: true,
    messages: [{ role: "user", content: "x x x" }],
    keep_alive: 0,
    options: { num_predict: 5, seed: 1, num_ctx: 512 },
  });
});

test("the last line of an answer is read, and one without an end is a failure", () => {
  const line =
    '{"done":true,"eval_count":3,"load_duration":2000000,"prompt_eval_count":4,"prompt_eval_duration":1500000}';
  expect(outcomeOf(line)).toEqual({
    ended: "done",
    outputTokens: 3,
    loadMs: 2,
    promptTokens: 4,
    promptMs: 1.5,
  });
  for (const broken of ["", '{"error":"x"}']) expect(outcomeOf(broken).ended).toBe("failed");
});
