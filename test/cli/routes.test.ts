// Routes over a real socket and in a terminal: an alias is a model's name there, and where a task went is shown.

import { afterAll, beforeAll, expect, test } from "vitest";
import { fail } from "../../providers/script.ts";
import { DEFAULT_ROUTING } from "../../src/core/routing.ts";
import { modelAt, testSettings } from "../runtime/rig.ts";
import { runLine } from "./scripted-terminal.ts";
import { reply, serveScripted, type ServedRig } from "./served.ts";

let served: ServedRig;
beforeAll(async () => {
  const sick = modelAt({ provider: "gpu", model: "sick", backend: "gpu" });
  served = await serveScripted(
    {
      models: [...testSettings().models, sick],
      routing: { ...DEFAULT_ROUTING, aliases: { work: ["gpu/sick", "gpu/child"] } },
    },
    (request) => (request.model === "sick" ? [fail("auth", "auth", "The key is wrong.")] : reply(request)),
  );
});
afterAll(() => served.close());

test("an alias is a model's name, and the task that it made says where it may run and where it went", async () => {
  const terminal = served.terminal();
  expect(await runLine(["delegate", "count", "--model", "work", "--json"], terminal)).toBe(0);
  const { task_id: taskId, result } = JSON.parse(terminal.out) as { task_id: string; result: string };
  expect(result).toBe("result of count");

  const shown = served.terminal();
  expect(await runLine(["tasks", "get", taskId], shown)).toBe(0);
  expect(shown.out).toMatch(/model +gpu\/child\n/);
  expect(shown.out).toMatch(/route +gpu\/sick, then gpu\/child\n/);
  expect(shown.out).toMatch(/rerouted +gpu\/sick → gpu\/child: The key is wrong\.\n/);

  const response = await fetch(`${served.url}/v1/tasks/${taskId}`, {
    headers: { authorization: `Bearer ${served.env["TROUPE_TOKEN"] ?? ""}` },
  });
  expect(await response.json()).toMatchObject({
    model: { model: "child" },
    route: {
      candidates: ["gpu/sick", "gpu/child"],
      skipped: [],
      reroutes: [{ from: "gpu/sick", to: "gpu/child", code: "auth", reason: "The key is wrong." }],
    },
  });
});
