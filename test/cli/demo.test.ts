// The demo end to end: real sockets, the real runtime, a fast simulated box, and a terminal that remembers.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CancelledError } from "../../src/base/errors.ts";
import { checkDemo } from "../../scripts/demo-document.ts";
import { runDemo } from "../../src/cli/demo.ts";
import { ALL_ROUNDER, modelServer, plain, type ModelServer } from "./demo-rig.ts";
import { ScriptedTerminal, worldFor } from "./scripted-terminal.ts";

const FAST = { speed: 10 };
const LIMIT_MS = 60_000;

type Fields = Readonly<Record<string, unknown>>;

describe("troupe demo", () => {
  it(
    "--json prints one document in which every promise holds, and nothing else",
    async () => {
      const terminal = new ScriptedTerminal();
      expect(await runDemo(["--json"], worldFor(terminal), FAST)).toBe(0);
      const document = JSON.parse(terminal.out) as Fields;
      expect(checkDemo(terminal.out).filter((check) => !check.passed)).toEqual([]);
      expect(document).toMatchObject({
        backend: "simulated",
        passed: true,
        failures: [],
        parent: "simulated",
      });
      const tasks = document["tasks"] as readonly Fields[];
      expect(tasks.map((task) => task["state"])).toEqual(["done", "done", "cancelled"]);
      expect(tasks[1]?.["result"]).toContain('I followed the steer "look only at src/core"');
      const { calls } = document["conversation"] as { readonly calls: readonly Fields[] };
      expect(calls.map((call) => call["name"])).toEqual([
        ...Array.from({ length: 3 }, () => "delegate_task_async"),
        "steer_task",
        "cancel_task",
      ]);
      expect(terminal.err).toBe("");
    },
    LIMIT_MS,
  );

  it(
    "appends the conversation and the tree as plain text through a pipe, labelled as simulated",
    async () => {
      const terminal = new ScriptedTerminal();
      expect(await runDemo([], worldFor(terminal), FAST)).toBe(0);
      const { out, lines } = terminal;
      expect(lines[0]).toContain("SIMULATED");
      expect(out).not.toContain("\u001b");
      expect(out).toMatch(/you {5}While they work: what is 17 \* 23\?\nparent {2}17 \* 23 = 391\./);
      expect(out).toMatch(/├─ task_\w{6} running/);
      expect(out).toContain("Who waited for what");
      expect(out).toContain("promises held.");
      expect(out.split("\n").filter((line) => line.length > 80)).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    "redraws in place on a terminal, gives the cursor back, and uses no colour where NO_COLOR is set",
    async () => {
      const terminal = new ScriptedTerminal({ isScreen: true, env: { NO_COLOR: "1" } });
      expect(await runDemo([], worldFor(terminal), FAST)).toBe(0);
      const { out } = terminal;
      expect(out.startsWith("\u001b[?25l")).toBe(true);
      expect(out).toContain("\u001b[?25h");
      expect(out).toContain("\u001b[23A\r");
      expect(["1", "2", "33", "36"].filter((style) => out.includes(`\u001b[${style}m`))).toEqual([]);
      expect(plain(out)).toContain("promises held.");
    },
    LIMIT_MS,
  );

  it(
    "ends with 130 after Ctrl-C, with everything closed",
    async () => {
      const terminal = new ScriptedTerminal({ isScreen: true });
      const stop = new AbortController();
      const running = runDemo([], worldFor(terminal, { signal: stop.signal }), FAST);
      await terminal.until(({ out }) => plain(out).includes("task ids in"));
      stop.abort(new CancelledError("Interrupted."));
      expect(await running).toBe(130);
      expect(plain(terminal.err)).toBe("Interrupted. Everything that the demo started is closed.\n");
      expect(terminal.out.endsWith("\u001b[?25h")).toBe(true);
    },
    LIMIT_MS,
  );

  it("prints its help, and refuses a word that it does not know", async () => {
    const terminal = new ScriptedTerminal();
    expect(await runDemo(["--help"], worldFor(terminal))).toBe(0);
    expect(terminal.out).toContain("--parent-model NAME");
    await expect(runDemo(["--jsom"], worldFor(terminal))).rejects.toMatchObject({ code: "usage" });
  });
});

describe("troupe demo --ollama", () => {
  let server: ModelServer;
  beforeAll(async () => {
    server = await modelServer();
  });
  afterAll(() => server.close());
  const run = async (...flags: readonly string[]) => {
    const terminal = new ScriptedTerminal();
    const code = await runDemo(["--ollama", "--url", server.url, "--json", ...flags], worldFor(terminal));
    return { code, document: JSON.parse(terminal.out) as Fields, text: terminal.out };
  };

  it.each([
    { model: ALL_ROUNDER, toolsets: ["file", "progress"] },
    { model: "sim-chat", toolsets: [] },
  ])(
    "delegates over the API with a scripted parent, to children on $model",
    async ({ model, toolsets }) => {
      const { code, document, text } = await run("--model", model);
      expect(document["failures"]).toEqual([]);
      expect(code).toBe(0);
      expect(checkDemo(text).filter((check) => !check.passed)).toEqual([]);
      expect(document).toMatchObject({ parent: "scripted" });
      const tasks = document["tasks"] as readonly Fields[];
      expect(tasks.map((task) => task["toolsets"])).toEqual([toolsets, toolsets, toolsets]);
    },
    LIMIT_MS,
  );

  it(
    "lets a capable model delegate by itself",
    async () => {
      const { code, document } = await run("--model", "sim-worker", "--parent-model", "sim-orchestrator");
      expect(document["failures"]).toEqual([]);
      expect(code).toBe(0);
      expect(document).toMatchObject({ parent: "model" });
    },
    LIMIT_MS,
  );

  it(
    "fails and says what did not hold when the parent model does not delegate",
    async () => {
      const { code, document } = await run("--model", "sim-worker", "--parent-model", "sim-chat");
      expect(code).toBe(1);
      expect(document["failures"]).toContain("does not hold: the parent delegates three goals");
    },
    LIMIT_MS,
  );

  it("says how to get a model that is not there", async () => {
    await expect(run("--model", "qwen3:8b")).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining("ollama pull qwen3:8b") as string,
    });
  });
});
