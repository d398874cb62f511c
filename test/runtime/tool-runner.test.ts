import { describe, expect, test } from "vitest";
import { delay, SimulatedClock } from "../../src/base/clock.ts";
import { ToolError } from "../../src/base/errors.ts";
import type { Message, ToolCall } from "../../src/core/message.ts";
import type { Tool, ToolOutcome } from "../../src/core/tool.ts";
import { RepetitionWatch, runTools, type ToolStep } from "../../src/runtime/tool-runner.ts";
import { checkArguments } from "../../src/toolsets/arguments.ts";
import { toolContext } from "../toolsets/tool-context.ts";
import { stallWatch } from "./specimens.ts";

function tool(name: string, run: Tool["run"], resume?: Tool["resume"]): Tool {
  const parameters = { type: "object", properties: { n: { type: "number" } }, additionalProperties: false };
  return {
    definition: { name, description: "", parameters },
    repeatable: true,
    run,
    ...(resume && { resume }),
  };
}

const said = (value: unknown): Promise<ToolOutcome> => Promise.resolve({ type: "result", value });

interface Ran {
  readonly steps: readonly ToolStep[];
  readonly tools: readonly Tool[];
  readonly budget?: number;
  readonly signal?: AbortSignal;
  readonly clock?: SimulatedClock;
}

function run({ steps, tools, budget = 99, signal, clock = new SimulatedClock() }: Ran) {
  let left = budget;
  return runTools(steps, {
    tools: new Map(tools.map((each) => [each.definition.name, each])),
    clock,
    maxResultChars: 100,
    watch: (call) =>
      stallWatch({ clock, what: `the tool ${call.name} said nothing`, ...(signal && { signal }) }),
    context: (_, watch) => toolContext("/tmp", watch.signal),
    checkArguments,
    redact: (text) => text.replaceAll("sk-secret", "[redacted]"),
    takeCall: () => (left-- > 0 ? null : { code: "budget", message: "Spent.", retryable: false }),
  });
}

const step = (id: string, name: string, args: unknown = {}): ToolStep => ({
  call: { id, name, arguments: args },
  ended: null,
});

function textsOf(messages: readonly Message[]): string[] {
  return messages.flatMap(({ parts }) =>
    parts.flatMap((part) =>
      part.type === "tool_result" ? [`${part.callId} ${part.isError ? "✗" : "✓"} ${part.text}`] : [],
    ),
  );
}

describe("runTools", () => {
  test("C1 every call gets one result or one wait, in the order of the calls, though they run at once", async () => {
    const clock = new SimulatedClock();
    const tools = [
      tool("slow", async () => (await delay(clock, 100), said("s"))),
      tool("quick", () => said({ deep: 1 })),
      tool("parks", async () => ({ type: "suspended", wait: { for: "children", taskIds: ["t"] } })),
      tool("fails", () => Promise.reject(new ToolError("x", "Not so."))),
    ];
    const names = ["slow", "quick", "parks", "fails", "none"];
    const running = run({ steps: names.map((name, at) => step(String(at), name)), tools, clock });
    await clock.advance(100);
    const ran = await running;
    expect(textsOf(ran.messages)).toEqual([
      "0 ✓ s",
      '1 ✓ {"deep":1}',
      "3 ✗ Not so.",
      '4 ✗ There is no tool "none". Call one of: slow, quick, parks, fails.',
    ]);
    expect(ran.waits).toEqual([
      { callId: "2", tool: "parks", wait: { for: "children", taskIds: ["t"] }, end: null },
    ]);
    expect(ran.events.map(({ type }) => type)).toEqual([
      "tool.finished",
      "tool.finished",
      "tool.suspended",
      "tool.finished",
      "tool.finished",
    ]);
    expect(ran.lines[0]).toBe("✓ slow: s");
  });

  test("C2 cuts what is too long, and says so; a failure too", async () => {
    const tools = [
      tool("long", () => said("x".repeat(500))),
      tool("wails", () => Promise.reject(new Error("y".repeat(500)))),
    ];
    const ran = await run({ steps: [step("1", "long"), step("2", "wails")], tools });
    for (const text of textsOf(ran.messages))
      expect(text).toMatch(/^. . (x+|y+)\n… \[400 characters cut\] …\n/);
    for (const text of textsOf(ran.messages)) expect(text.length).toBeLessThanOrEqual(104);
  });

  test("secrets do not reach the transcript, in results or in failures", async () => {
    const tools = [
      tool("tells", () => said("it is sk-secret")),
      tool("cries", () => Promise.reject(new Error("sk-secret!"))),
    ];
    const ran = await run({ steps: [step("1", "tells"), step("2", "cries")], tools });
    expect(textsOf(ran.messages)).toEqual(["1 ✓ it is [redacted]", "2 ✗ [redacted]!"]);
  });

  test("a call whose arguments were no JSON is answered with the shape that is expected", async () => {
    const call: ToolCall = { id: "1", name: "a", arguments: {}, malformed: "{oops" };
    const [text] = textsOf(
      (await run({ steps: [{ call, ended: null }], tools: [tool("a", () => said(1))] })).messages,
    );
    expect(text).toMatch(/no JSON object: \{oops\nCall it again with arguments of this shape: .*"n"/);
  });

  test("bad arguments are told and the tool is not run", async () => {
    let ran = 0;
    const counting = tool("a", () => (ran++, said(1)));
    const [text] = textsOf(
      (await run({ steps: [step("1", "a", { n: "many" })], tools: [counting] })).messages,
    );
    expect(text).toContain('n: expected a number, got "many"');
    expect(ran).toBe(0);
  });

  test("an agent without tools is told to answer in words", async () => {
    const [text] = textsOf((await run({ steps: [step("1", "a")], tools: [] })).messages);
    expect(text).toContain("this agent has no tools. Answer in words.");
  });

  test("calls over the budget are not made, and the run hears of it", async () => {
    let made = 0;
    const ran = await run({
      steps: [step("1", "a"), step("2", "a"), step("3", "a")],
      tools: [tool("a", () => said(++made))],
      budget: 2,
    });
    expect(made).toBe(2);
    expect(ran.spent).toMatchObject({ code: "budget" });
    expect(textsOf(ran.messages)[2]).toBe("3 ✗ Spent.");
  });

  test("goes on with a call whose wait has ended, and names the children that it told of", async () => {
    const wait = { for: "children", taskIds: ["t"] } as const;
    const end = { cause: "timeout" } as const;
    const resuming = tool(
      "a",
      () => said("never"),
      async (_, ended) => ({ type: "result", value: ended.end.cause, delivers: ["t"] }),
    );
    const ran = await run({
      steps: [{ ...step("1", "a"), ended: { wait, end } }],
      tools: [resuming],
      budget: 0,
    });
    expect([textsOf(ran.messages), ran.delivered, ran.spent]).toEqual([["1 ✓ timeout"], ["t"], null]);
  });

  test("a call that stalls is stopped alone and told to the model; one that ignores it is given up", async () => {
    const clock = new SimulatedClock();
    let heard = 0;
    const tools = [
      tool("slow", async () => (await delay(clock, 905_000), said("s"))),
      tool("obeys", (_, { signal }) => {
        signal.addEventListener("abort", () => (heard += 1));
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("mine"))));
      }),
      tool("deaf", () => new Promise(() => {})),
    ];
    const running = run({ steps: ["slow", "obeys", "deaf"].map((name) => step(name, name)), tools, clock });
    await clock.advance(910_000);
    expect(textsOf((await running).messages)).toEqual([
      "slow ✗ the tool slow said nothing for 900 s",
      "obeys ✗ the tool obeys said nothing for 900 s",
      "deaf ✗ the tool deaf said nothing for 900 s",
    ]);
    expect([heard, clock.pending]).toEqual([1, 0]);
  });

  test("a call that was suspended is not watched while it waits", async () => {
    const clock = new SimulatedClock();
    const parks = tool("parks", async () => ({ type: "suspended", wait: { for: "input", prompt: "?" } }));
    const ran = await run({ steps: [step("1", "parks")], tools: [parks], clock });
    expect([ran.waits.length, clock.pending]).toEqual([1, 0]);
  });

  test("a question to a person is the end of the output, without secrets", async () => {
    const asks = tool("asks", async () => ({
      type: "suspended",
      wait: { for: "input", prompt: "Is s3cret the word?" },
    }));
    const ran = await run({
      steps: [step("1", "asks"), step("2", "hit")],
      tools: [asks, tool("hit", async () => said("ok"))],
    });
    expect(ran.lines).toEqual(["✓ hit: ok", "? Is s3cret the word?"]);
  });

  test("throws the reason of an abort, and only that", async () => {
    const stop = new AbortController();
    const hanging = tool(
      "a",
      () =>
        new Promise((_, reject) => stop.signal.addEventListener("abort", () => reject(new Error("mine")))),
    );
    const running = run({ steps: [step("1", "a")], tools: [hanging], signal: stop.signal });
    stop.abort(new Error("called off"));
    await expect(running).rejects.toThrow("called off");
  });
});

describe("RepetitionWatch", () => {
  const call = (name: string, args: unknown): ToolCall => ({ id: "1", name, arguments: args });
  const answer = (text: string): Message => ({
    role: "tool",
    origin: "tool",
    parts: [{ type: "tool_result", callId: "1", name: "a", text, isError: false }],
  });

  test("the same call with the same result a third time is a tool_loop", () => {
    const watch = new RepetitionWatch();
    const note = (): unknown => watch.note([call("a", { x: 1 })], [answer("no")])?.code ?? null;
    expect([note(), note(), note()]).toEqual([null, null, "tool_loop"]);
  });

  test("another result, or another call between, begins the count again", () => {
    const watch = new RepetitionWatch();
    for (let n = 0; n < 9; n++) expect(watch.note([call("poll", {})], [answer(String(n))])).toBeNull();
    for (let n = 0; n < 9; n++) expect(watch.note([call("a", { n: n % 2 })], [answer("no")])).toBeNull();
  });

  test("malformed calls get one correction, then the run ends", () => {
    const bad = { ...call("a", {}), malformed: "{" };
    const watch = new RepetitionWatch();
    expect(watch.note([bad], [answer("1")])).toBeNull();
    expect(watch.note([bad], [answer("2")])).toMatchObject({ code: "malformed_tool_call" });
    const mended = new RepetitionWatch();
    const turns = [bad, call("a", {}), bad].map((each, at) => mended.note([each], [answer(String(at))]));
    expect(turns).toEqual([null, null, null]);
  });
});
