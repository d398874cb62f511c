import { describe, expect, test } from "vitest";
import { completionText } from "../../src/core/transcript-marks.ts";
import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { SIMULATOR_VERSION } from "../../src/simulator/ollama-app.ts";
import { createSimulator, SIMULATED_HEADER } from "../../src/simulator/simulator.ts";
import { model, served } from "./fixtures.ts";

const make = (seed = 1) => createSimulator({ clock: new SimulatedClock(), random: seededRandom(seed) });

describe("the label", () => {
  test.each([
    ["GET", "/", 200],
    ["GET", "/api/version", 200],
    ["GET", "/api/tags", 200],
    ["GET", "/api/ps", 200],
    ["GET", "/v1/models", 200],
    ["POST", "/api/show", 400],
    ["POST", "/api/chat", 400],
    ["POST", "/v1/chat/completions", 400],
    ["GET", "/nowhere", 404],
  ])("%s %s is answered %i and says that it is simulated", async (method, path, status) => {
    const response = await make().app.request(path, { method });
    expect([response.status, response.headers.get(SIMULATED_HEADER)]).toEqual([status, "1"]);
  });

  test("streams carry it too, and the version names the simulator", async () => {
    await using server = await served({ models: [model("a")] });
    const body = JSON.stringify({ model: "a", messages: [{ role: "user", content: "x" }] });
    for (const path of ["/api/chat", "/v1/chat/completions"]) {
      const response = await server.finish(fetch(`${server.url}${path}`, { method: "POST", body }));
      expect(response.headers.get(SIMULATED_HEADER)).toBe("1");
      await server.finish(response.text());
    }
    const version = (await (await make().app.request("/api/version")).json()) as { version: string };
    expect(version).toEqual({ version: SIMULATOR_VERSION });
    expect(SIMULATOR_VERSION).toContain("troupe-simulator");
  });
});

interface Chat {
  readonly message: {
    readonly content: string;
    readonly tool_calls?: readonly {
      readonly function: { readonly name: string; readonly arguments: object };
    }[];
  };
}

describe("the default models", () => {
  test("orchestrator and worker stay loaded side by side", async () => {
    const clock = new SimulatedClock();
    const simulator = createSimulator({ clock, random: seededRandom(1) });
    for (const name of ["sim-orchestrator", "sim-worker"]) {
      const body = JSON.stringify({ model: name, stream: false, messages: [], options: { num_ctx: 16_384 } });
      const answer = simulator.app.request("/api/chat", { method: "POST", body });
      await clock.advance(5_000);
      expect((await answer).status).toBe(200);
    }
    expect(simulator.stats()).toMatchObject({ loads: 2, unloads: 0 });
    simulator.close();
  });

  test("the orchestrator splits a request, names the ids, and reports an end", async () => {
    const clock = new SimulatedClock();
    const simulator = createSimulator({ clock, random: seededRandom(1) });
    const tools = ["delegate_task_async", "list_tasks"].map((name) => ({
      type: "function",
      function: { name },
    }));
    const ask = async (messages: readonly object[]): Promise<Chat["message"]> => {
      const body = JSON.stringify({ model: "sim-orchestrator", stream: false, messages, tools });
      const answer = simulator.app.request("/api/chat", { method: "POST", body });
      await clock.advance(60_000);
      return ((await (await answer).json()) as Chat).message;
    };
    const goal = "Count the files in src; list the docs folder; find TODO in test";
    const first = await ask([{ role: "user", content: goal }]);
    expect(first.tool_calls).toHaveLength(3);
    const results = ["task_1", "task_2", "task_3"].map((task_id) => ({
      role: "tool",
      tool_name: "delegate_task_async",
      content: JSON.stringify({ task_id, state: "spawned" }),
    }));
    const chat = [{ role: "user", content: goal }, first, ...results];
    const second = await ask(chat);
    expect(second.content).toContain("- task_2: List the docs folder");
    const end = completionText({
      taskId: "task_1",
      state: "done",
      goal: "Count the files in src",
      result: "9 files",
    });
    const third = await ask([...chat, second, { role: "user", content: end }]);
    expect(third.content).toContain("is done: 9 files");
    simulator.close();
  });

  test("the same seed and the same requests give the same bytes", async () => {
    const run = async (): Promise<string> => {
      const clock = new SimulatedClock();
      const simulator = createSimulator({ clock, random: seededRandom(3) });
      const tools = [{ type: "function", function: { name: "list_dir" } }];
      const messages = [{ role: "user", content: "Count the files in src" }];
      const body = JSON.stringify({ model: "sim-worker", messages, tools });
      const answer = (async () =>
        (await simulator.app.request("/api/chat", { method: "POST", body })).text())();
      await clock.advance(60_000);
      const text = await answer;
      simulator.close();
      return text;
    };
    expect(await run()).toBe(await run());
  });
});
