import { describe, expect, test } from "vitest";
import { call, fail, finish, hang, say, think, wait, type Step } from "../../providers/script.ts";
import { scripted } from "../../providers/scripted.ts";
import type { GenerateRequest, Provider } from "../../providers/provider.ts";
import { SimulatedClock } from "../../src/base/clock.ts";
import { LimitError, ProviderError, type ProviderErrorKind } from "../../src/base/errors.ts";
import { textMessage } from "../../src/core/message.ts";
import { RedactingStream } from "../../src/credentials/redact.ts";
import { GenerationMeter } from "../../src/runtime/generation-meter.ts";
import { answerMessage, failureOf, generateAnswer } from "../../src/runtime/generation.ts";
import { stallWatch } from "./specimens.ts";

function run(
  replies: readonly (readonly Step[])[],
  rest: { beforeSecondTry?: () => void; secrets?: readonly string[]; deaf?: readonly Step[] } = {},
) {
  const clock = new SimulatedClock();
  const asked: number[] = [];
  const provider = scripted({
    clock,
    reply: (request, nth) => {
      asked.push(request.maxOutputTokens);
      return rest.deaf ?? replies[nth] ?? [];
    },
  });
  const deaf: Provider = Object.create(provider, {
    generate: {
      value: (request: GenerateRequest) =>
        provider.generate(request, { signal: new AbortController().signal }),
    },
  });
  const deltas: [number, string, string][] = [];
  const stop = new AbortController();
  const request = {
    model: "m",
    messages: [textMessage("user", "goal", "Go.")],
    tools: [],
    maxOutputTokens: 100,
  };
  const meter = new GenerationMeter(10, () => 0);
  const answer = generateAnswer({
    provider: rest.deaf ? deaf : provider,
    request,
    clock,
    meter,
    signal: stop.signal,
    watch: (signal) => stallWatch({ clock, signal }),
    turn: 3,
    redactStream: () => new RedactingStream(rest.secrets ?? []),
    onDelta: (channel, text) => deltas.push([clock.monotonic(), channel, text]),
    beforeSecondTry: rest.beforeSecondTry ?? (() => {}),
  });
  answer.catch(() => {});
  return { clock, asked, deltas, stop, meter, answer };
}

describe("generateAnswer", () => {
  test("lets no secret out that is split over pieces, in neither channel, and loses no other text", async () => {
    const { clock, answer, deltas } = run(
      [
        [
          think("it is sk-live-"),
          wait(50),
          think("0123456789"),
          say("a sk-l"),
          wait(50),
          say("ive-0123"),
          wait(50),
          say("456789 z sk-li"),
        ],
      ],
      { secrets: ["sk-live-0123456789"] },
    );
    await clock.advance(500);
    const { text, thinking } = await answer;
    expect({ text, thinking }).toEqual({ text: "a [redacted] z sk-li", thinking: "it is [redacted]" });
    const shown = (wanted: string) =>
      deltas.flatMap(([, channel, said]) => (channel === wanted ? said : [])).join("");
    expect([shown("text"), shown("thinking")]).toEqual([text, thinking]);
  });

  test("gathers text, thoughts and calls, whose ids are the turn's own and repeatable", async () => {
    const { answer } = run([
      [think("hm"), say("I "), say("look"), call("a", { x: 1 }), call("b", {}, "server-id")],
    ]);
    expect(await answer).toMatchObject({
      text: "I look",
      thinking: "hm",
      reason: "tool_calls",
      calls: [
        { id: "call_3_1", name: "a", arguments: { x: 1 } },
        { id: "call_3_2", name: "b" },
      ],
    });
  });

  test("shows the first delta at once and gathers the next ones for 30 ms, channels apart", async () => {
    const { clock, deltas, answer } = run([
      [think("a"), think("b"), say("c"), wait(10), say("d"), wait(25), say("e")],
    ]);
    await clock.advance(100);
    await answer;
    expect(deltas).toEqual([
      [0, "thinking", "a"],
      [0, "thinking", "b"],
      [30, "text", "cd"],
      [35, "text", "e"],
    ]);
  });

  test("asks once more with twice the room when an answer is empty", async () => {
    const { asked, answer } = run([[finish("length")], [say("better")]]);
    expect(await answer).toMatchObject({ text: "better" });
    expect(asked).toEqual([100, 200]);
  });

  test("a second empty answer fails as empty_answer, and both were paid for", async () => {
    const { meter, answer } = run([[finish("length")], [finish("length")]]);
    await expect(answer).rejects.toMatchObject({
      code: "empty_answer",
      message: expect.stringContaining("max_output_tokens") as string,
    });
    expect(meter.requests).toBe(2);
  });

  test("the second try may be refused", async () => {
    const { asked, answer } = run([[finish("length")], [say("x")]], {
      beforeSecondTry: () => {
        throw new LimitError("budget", "Spent.");
      },
    });
    await expect(answer).rejects.toMatchObject({ code: "budget" });
    expect(asked).toHaveLength(1);
  });

  test("an abort ends it with the signal's reason, with what was written shown and metered, and no timer left", async () => {
    const { clock, deltas, stop, meter, answer } = run([[say("one"), say("two"), hang()]]);
    await clock.advance(5);
    stop.abort(new Error("called off"));
    await expect(answer).rejects.toThrow("called off");
    expect(deltas.map(([, , text]) => text).join("")).toBe("onetwo");
    expect(meter.usage.outputTokens).toBe(2);
    expect(clock.pending).toBe(0);
  });

  test("a model that falls silent fails as stalled, and one that writes slowly does not", async () => {
    const { clock, answer } = run([[say("a"), wait(900_000), say("b"), wait(800_000), say("c"), hang()]]);
    await clock.advance(900_000 + 800_000 + 900_000 + 1);
    await expect(answer).rejects.toMatchObject({ code: "stalled" });
    expect(clock.pending).toBe(0);
  });

  test("nothing is taken of a provider that goes on after it was given up", async () => {
    const { clock, answer, deltas } = run([], { deaf: [wait(1_000_000), say("late")] });
    await clock.advance(900_000 + 10_000);
    await expect(answer).rejects.toMatchObject({ code: "stalled" });
    await clock.advance(1_000_000);
    expect(deltas).toEqual([]);
  });

  test("a failure of the server comes through as it is", async () => {
    const { answer } = run([[say("half"), fail("network", "broken", "Gone.")]]);
    await expect(answer).rejects.toMatchObject({ code: "broken", providerKind: "network" });
  });
});

describe("failureOf", () => {
  test.each<[ProviderErrorKind, boolean]>([
    ["overloaded", true],
    ["rate_limited", true],
    ["timeout", true],
    ["network", true],
    ["malformed", true],
    ["auth", false],
    ["quota", false],
    ["context_length", false],
    ["refused", false],
  ])("%s is transient: %s", (kind, transient) => {
    const failed = failureOf(new ProviderError({ kind, code: kind }, "No."), 0, 0);
    expect([failed.transient, failed.failure.retryable]).toEqual([transient, transient]);
  });

  test("pauses double from a second to half a minute, spread by up to a tenth", () => {
    const busy = new ProviderError({ kind: "overloaded", code: "busy" }, "Busy.");
    const pauses = [0, 1, 2, 3, 4, 5, 6].map((tries) => failureOf(busy, tries, 0).retryInMs);
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(failureOf(busy, 0, 0.999).retryInMs).toBeCloseTo(1_099.9);
  });

  test("the server's hint wins, unless it is longer than anybody waits in silence", () => {
    const asking = (retryAfterMs: number) =>
      new ProviderError({ kind: "rate_limited", code: "r" }, "Wait.", { retryAfterMs });
    expect(failureOf(asking(45_000), 0, 0)).toMatchObject({ transient: true, retryInMs: 45_000 });
    // Many who were told the same do not all come back in the same moment, and none too soon.
    expect(failureOf(asking(45_000), 0, 0.5).retryInMs).toBeCloseTo(47_250);
    expect(failureOf(asking(60_000), 0, 0.9).transient).toBe(true);
    expect(failureOf(asking(3_600_000), 0, 0)).toMatchObject({
      transient: false,
      failure: { retryable: false, message: "Wait. The server asks to wait 3600 s." },
    });
  });

  test("an empty answer is not asked for again in the same run, but in the next", () => {
    const empty = new ProviderError({ kind: "malformed", code: "empty_answer" }, "Empty.");
    expect(failureOf(empty, 0, 0)).toMatchObject({ transient: false, failure: { retryable: true } });
  });

  test("a server's timeout is not the task's own, and a defect is told as one", () => {
    const late = new ProviderError({ kind: "timeout", code: "timeout" }, "Late.");
    expect(failureOf(late, 0, 0).failure.code).toBe("provider_timeout");
    expect(failureOf(new TypeError("x is undefined"), 0, 0)).toMatchObject({
      transient: false,
      failure: { code: "internal", message: "Troupe failed: x is undefined" },
    });
  });

  test("a budget that others hold for now is waited for; one that is spent is not", () => {
    const held = new LimitError("budget", "Held.", { details: { held_by_others: true } });
    expect(failureOf(held, 0, 0).transient).toBe(true);
    expect(failureOf(new LimitError("budget", "Spent."), 0, 0).transient).toBe(false);
  });
});

test("an answer becomes one message of its parts, the empty ones left out", () => {
  const calls = [{ id: "1", name: "a", arguments: {} }];
  expect(answerMessage({ text: "", thinking: "", calls }).parts).toEqual([
    { type: "tool_call", call: calls[0] },
  ]);
  expect(answerMessage({ text: "t", thinking: "h", calls: [] }).parts.map(({ type }) => type)).toEqual([
    "thinking",
    "text",
  ]);
});
