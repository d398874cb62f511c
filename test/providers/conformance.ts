// The one suite over every provider (P1-P5 of `providers/provider.ts`). A subject puts a scene on a stage: something
// real that behaves as the scene says, and a provider pointed at it. A scene that a subject cannot play is skipped
// with its reason in the test's name.

import { afterEach, describe, expect, it } from "vitest";
import { settle } from "../../src/base/clock.ts";
import type { ProviderErrorKind } from "../../src/base/errors.ts";
import { ProviderError } from "../../src/base/errors.ts";
import type { FinishReason, GenerateRequest, Provider, ProviderEvent } from "../../providers/provider.ts";
import { collect, never } from "./collect.ts";

export interface SceneCall {
  readonly id?: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export type Scene =
  | {
      readonly does: "answers";
      readonly text: readonly string[];
      readonly thinking?: string;
      readonly calls?: readonly SceneCall[];
      readonly reason: FinishReason;
      readonly promptTokens: number;
      readonly outputTokens: number;
    }
  /** Takes every request and never answers. */
  | { readonly does: "is_silent" }
  /** Says the text and then nothing more, to every request. */
  | { readonly does: "stalls"; readonly text: string }
  /** Says the text, then the connection breaks. */
  | { readonly does: "breaks_off"; readonly text: string }
  | { readonly does: "refuses"; readonly kind: ProviderErrorKind };

export interface Stage {
  readonly provider: Provider;
  /** Whether the words are the scene's own; a model's are not. */
  readonly exact: boolean;
  /** The other side counts tokens and names calls by itself, though the words are the scene's. */
  readonly ownFigures?: boolean;
  request(): GenerateRequest;
  /** Settles when `count` generations have arrived at the other side. */
  arrived(count: number): Promise<void>;
  /** Generations that the other side still works for. */
  inFlight(): number;
  close(): Promise<void>;
}

export interface Subject {
  readonly name: string;
  stage(scene: Scene): Promise<Stage>;
  /** Scenes that cannot be played, with the reason. */
  readonly skips?: Partial<Record<Scene["does"], string>>;
  /** Error kinds that cannot be provoked, with the reason. */
  readonly skipsKinds?: Partial<Record<ProviderErrorKind, string>>;
}

const ANSWER: Extract<Scene, { does: "answers" }> = {
  does: "answers",
  text: ["Troupe ", "says: ", "héllo ", "世界 🎭"],
  reason: "stop",
  promptTokens: 17,
  outputTokens: 9,
};

const CALLS: readonly SceneCall[] = [
  { id: "call_0a1b2c3d4e", name: "read_file", arguments: { path: "a.txt", limit: 3 } },
  { name: "list_dir", arguments: {} },
  { name: "list_dir", arguments: { path: "ünïcode", deep: { nested: [1, null, "x"] } } },
];

const KINDS: readonly ProviderErrorKind[] = [
  "auth",
  "rate_limited",
  "quota",
  "overloaded",
  "timeout",
  "network",
  "context_length",
  "refused",
  "malformed",
];

/** Waits, without a clock, until the other side has noticed. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await settle();
}

/** P2: `started` first, one `finished` last, in a stream that ended well. */
function expectWhole(events: readonly ProviderEvent[]): void {
  expect(events[0]?.type).toBe("started");
  expect(events.at(-1)?.type).toBe("finished");
  expect(events.filter((event) => event.type === "started")).toHaveLength(1);
  expect(events.filter((event) => event.type === "finished")).toHaveLength(1);
}

type Skip = (note: string) => void;
/** Puts a scene on a stage, or skips the test with the subject's reason. */
type Open = (scene: Scene, skip: Skip) => Promise<Stage>;

export function providerConformance(subject: Subject): void {
  describe(`${subject.name} as a Provider`, () => {
    const stages: Stage[] = [];
    const open: Open = async (scene, skip) => {
      const kind = scene.does === "refuses" ? subject.skipsKinds?.[scene.kind] : undefined;
      const reason = subject.skips?.[scene.does] ?? kind;
      if (reason !== undefined) skip(reason);
      const stage = await subject.stage(scene);
      stages.push(stage);
      return stage;
    };
    afterEach(async () => {
      for (const stage of stages.splice(0)) await stage.close();
    });
    answers(open);
    aborts(open);
    failures(open);
    questions(open);
  });
}

function answers(open: Open): void {
  it("P2 streams the text in order and ends with one finished", async ({ skip }) => {
    const stage = await open(ANSWER, skip);
    const got = await collect(stage.provider.generate(stage.request(), { signal: never() }));
    expect(got.error).toBeUndefined();
    expectWhole(got.events);
    if (!stage.exact) return;
    expect(got.text).toBe(ANSWER.text.join(""));
    const usage = stage.ownFigures ? {} : { promptTokens: 17, outputTokens: 9 };
    expect(got.events.at(-1)).toMatchObject({ reason: "stop", usage });
  });

  it("tells a generation that was cut by its length", async ({ skip }) => {
    const stage = await open({ ...ANSWER, reason: "length" }, skip);
    const got = await collect(stage.provider.generate(stage.request(), { signal: never() }));
    expectWhole(got.events);
    expect(got.events.at(-1)).toMatchObject(stage.exact ? { reason: "length" } : { type: "finished" });
  });

  it("keeps thinking apart from text", async ({ skip }) => {
    const stage = await open({ ...ANSWER, thinking: "Let me think…" }, skip);
    const got = await collect(stage.provider.generate(stage.request(), { signal: never() }));
    if (!stage.exact) return;
    expect(got.thinking).toBe("Let me think…");
    expect(got.text).toBe(ANSWER.text.join(""));
  });

  it("gives parallel tool calls whole, in order, with ids that differ", async ({ skip }) => {
    const stage = await open({ ...ANSWER, calls: CALLS, reason: "tool_calls" }, skip);
    const got = await collect(stage.provider.generate(stage.request(), { signal: never() }));
    expectWhole(got.events);
    if (!stage.exact) return;
    const calls = got.events.flatMap((event) => (event.type === "tool_call" ? [event.call] : []));
    expect(calls.map(({ name, arguments: args }) => ({ name, args }))).toEqual(
      CALLS.map(({ name, arguments: args }) => ({ name, args })),
    );
    expect(calls[0]?.id).toBe(stage.ownFigures ? calls[0]?.id : "call_0a1b2c3d4e");
    expect(new Set(calls.map((call) => call.id)).size).toBe(CALLS.length);
    expect(got.events.at(-1)).toMatchObject({ reason: "tool_calls" });
  });
}

function aborts(open: Open): void {
  it("P1 asks nothing when the signal has aborted already", async ({ skip }) => {
    const stage = await open({ does: "is_silent" }, skip);
    const reason = new Error("too late");
    const got = await collect(
      stage.provider.generate(stage.request(), { signal: AbortSignal.abort(reason) }),
    );
    expect(got.error).toBe(reason);
    expect(got.events).toEqual([]);
    expect(stage.inFlight()).toBe(0);
  });

  it("P1 aborts before the headers: the reason is thrown and the connection closed", async ({ skip }) => {
    const stage = await open({ does: "is_silent" }, skip);
    const control = new AbortController();
    const reason = new Error("not needed any more");
    const running = collect(stage.provider.generate(stage.request(), { signal: control.signal }));
    await stage.arrived(1);
    control.abort(reason);
    const got = await running;
    expect(got.error).toBe(reason);
    expect(got.events).toEqual([]);
    await until(() => stage.inFlight() === 0);
  });

  it("P1 aborts in mid-stream: nothing more comes and the connection closes", async ({ skip }) => {
    const stage = await open({ does: "stalls", text: "so far" }, skip);
    const control = new AbortController();
    const reason = new Error("steered");
    const got = await collect(
      stage.provider.generate(stage.request(), { signal: control.signal }),
      (event) => event.type === "text" && control.abort(reason),
    );
    expect(got.error).toBe(reason);
    expect(got.events.at(-1)?.type).toBe("text");
    expect(got.events.filter((event) => event.type === "text")).toHaveLength(1);
    await until(() => stage.inFlight() === 0);
  });

  it("closes the connection when the reader leaves the loop", async ({ skip }) => {
    const stage = await open({ does: "stalls", text: "so far" }, skip);
    for await (const event of stage.provider.generate(stage.request(), { signal: never() })) {
      if (event.type === "text") break;
    }
    await until(() => stage.inFlight() === 0);
    expect(stage.inFlight()).toBe(0);
  });

  it("P5 aborts one generation and leaves the other alone", async ({ skip }) => {
    const stage = await open({ does: "stalls", text: "so far" }, skip);
    const first = new AbortController();
    const second = new AbortController();
    const one = collect(stage.provider.generate(stage.request(), { signal: first.signal }));
    const two = collect(stage.provider.generate(stage.request(), { signal: second.signal }));
    await stage.arrived(2);
    first.abort(new Error("first"));
    expect((await one).error).toEqual(new Error("first"));
    await until(() => stage.inFlight() === 1);
    for (let turns = 0; turns < 20; turns++) await settle();
    expect(stage.inFlight()).toBe(1);
    second.abort(new Error("second"));
    expect((await two).error).toEqual(new Error("second"));
  });
}

function failures(open: Open): void {
  it("P2 keeps what was emitted and throws when the stream breaks off", async ({ skip }) => {
    const stage = await open({ does: "breaks_off", text: "half an answ" }, skip);
    const got = await collect(stage.provider.generate(stage.request(), { signal: never() }));
    expect(got.error).toBeInstanceOf(ProviderError);
    expect((got.error as ProviderError).providerKind).toBe("network");
    expect(got.text).toBe(stage.exact ? "half an answ" : got.text);
    expect(got.events.some((event) => event.type === "finished")).toBe(false);
  });

  it.for(KINDS)("P3 tells a failure of kind %s", async (kind, { skip }) => {
    const stage = await open({ does: "refuses", kind }, skip);
    const got = await collect(stage.provider.generate(stage.request(), { signal: never() }));
    expect(got.error).toBeInstanceOf(ProviderError);
    expect((got.error as ProviderError).providerKind).toBe(kind);
    expect((got.error as ProviderError).message).toMatch(/\w/);
    expect(got.events.some((event) => event.type === "finished")).toBe(false);
  });
}

function questions(open: Open): void {
  it("P1 gives up every question with the signal's reason", async ({ skip }) => {
    const { provider } = await open({ does: "is_silent" }, skip);
    const reason = new Error("no time");
    const signal = AbortSignal.abort(reason);
    await expect(provider.server(signal)).rejects.toBe(reason);
    await expect(provider.models(signal)).rejects.toBe(reason);
    await expect(provider.describe("m", signal)).rejects.toBe(reason);
    await expect(provider.loaded(signal)).rejects.toBe(reason);
    await expect(provider.preload("m", { signal })).rejects.toBe(reason);
    await expect(provider.unload("m", { signal })).rejects.toBe(reason);
  });
}
