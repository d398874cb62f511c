// Routes as a model sees them that delegates: what it asks for is an agent, and what it reads says where the child went.

import { expect, test } from "vitest";
import { fail, hang } from "../../providers/script.ts";
import { converse } from "./conversation.ts";
import { agentNamed, modelAt, testSettings } from "./rig.ts";

const MODELS = [
  ...testSettings().models,
  modelAt({ provider: "gpu", model: "sick", backend: "gpu" }),
  modelAt({ provider: "gpu", model: "short", backend: "gpu" }, { contextTokens: 1 }),
];

test("delegating says what was passed over, and checking says where the child goes on and why", async () => {
  const it = await converse(
    (_, { model }) => (model === "sick" ? [fail("auth", "auth", "The key is wrong.")] : [hang()]),
    {
      settings: {
        models: MODELS,
        agents: [agentNamed("routed", { route: ["gpu/short", "gpu/sick", "gpu/child"] })],
      },
    },
  );
  const told = await it.use("delegate_task_async", { goal: "dig", agent: "routed" });
  expect(told.note).toMatch(/It runs on gpu\/sick\. Passed over: gpu\/short: goal and context take about/);
  await it.pass(50);
  expect(await it.use("check_task", { task_id: told.task_id })).toMatchObject({
    state: "running",
    rerouted: [{ from: "gpu/sick", to: "gpu/child", reason: "The key is wrong." }],
    output_preview: ["↷ goes on with gpu/child: The key is wrong."],
  });
});

test("a child that no model of its route can serve is refused with every reason", async () => {
  const it = await converse(() => [hang()], {
    settings: { models: MODELS, agents: [agentNamed("blind", { model: "gpu/child", needs: ["vision"] })] },
  });
  expect(await it.refusal("delegate_task_async", { goal: "dig", agent: "blind" })).toContain(
    "gpu/child: it takes no images",
  );
});
