// The scripted provider against the contract, and what only it has: steps, time on the clock, counting.

import { describe, expect, it } from "vitest";
import { SimulatedClock, settle } from "../../src/base/clock.ts";
import { InternalError, ProviderError } from "../../src/base/errors.ts";
import { textMessage } from "../../src/core/message.ts";
import type { Step } from "../../providers/script.ts";
import {
  badCall,
  begin,
  call,
  fail,
  failWith,
  finish,
  hang,
  say,
  think,
  wait,
} from "../../providers/script.ts";
import type { Reply, ScriptedOptions } from "../../providers/scripted.ts";
import { scripted } from "../../providers/scripted.ts";
import { collect, never, requestFor } from "./collect.ts";
import type { Scene, Subject } from "./conformance.ts";
import { providerConformance } from "./conformance.ts";

function steps(scene: Scene): readonly Step[] {
  switch (scene.does) {
    case "is_silent":
      return [hang()];
    case "stalls":
      return [say(scene.text), hang()];
    case "breaks_off":
      return [say(scene.text), fail("network", "connection_lost")];
    case "refuses":
      return [fail(scene.kind)];
    case "answers":
      return [
        ...(scene.thinking ? [think(scene.thinking)] : []),
        ...scene.text.map(say),
        ...(scene.calls ?? []).map((each) => call(each.name, each.arguments, each.id)),
        finish(scene.reason, { promptTokens: scene.promptTokens, outputTokens: scene.outputTokens }),
      ];
  }
}

const subject: Subject = {
  name: "scripted",
  async stage(scene) {
    const provider = scripted({ clock: new SimulatedClock(), reply: () => steps(scene) });
    return {
      provider,
      exact: true,
      request: () => requestFor("m"),
      arrived: async (count) => {
        while (provider.begun < count) await settle();
      },
      inFlight: () => provider.inFlight,
      close: async () => {},
    };
  },
};

providerConformance(subject);

describe("the scripted provider", () => {
  const make = (reply: ScriptedOptions["reply"], clock = new SimulatedClock()) => scripted({ clock, reply });
  const run = (reply: readonly Reply[]) =>
    collect(make(reply).generate(requestFor("m"), { signal: never() }));

  it("lets time pass on the clock only, and starts with the first thing that it shows", async () => {
    const clock = new SimulatedClock();
    const seen: string[] = [];
    const provider = make(() => [wait(500), say("a"), wait(100), say("b")], clock);
    const running = collect(provider.generate(requestFor("m"), { signal: never() }), (event) =>
      seen.push(`${clock.monotonic()} ${event.type}`),
    );
    await clock.advance(499);
    expect(seen).toEqual([]);
    await clock.drain();
    await running;
    expect(seen).toEqual(["500 started", "500 text", "600 text", "600 finished"]);
  });

  it("tells the time of the clock as its usage", async () => {
    const clock = new SimulatedClock();
    const provider = make(() => [begin(), wait(40), say("12345678")], clock);
    const running = collect(provider.generate(requestFor("m"), { signal: never() }));
    await clock.drain();
    expect((await running).events.at(-1)).toMatchObject({
      reason: "stop",
      usage: { outputTokens: 2, outputMs: 40, totalMs: 40 },
    });
  });

  it("leaves no timer behind when a wait is aborted", async () => {
    const clock = new SimulatedClock();
    const control = new AbortController();
    const running = collect(
      make(() => [wait(500)], clock).generate(requestFor("m"), { signal: control.signal }),
    );
    await settle();
    expect(clock.pending).toBe(1);
    control.abort(new Error("enough"));
    expect((await running).error).toEqual(new Error("enough"));
    expect(clock.pending).toBe(0);
  });

  it("hands the request and its number to the function", async () => {
    const provider = make((request, nth) => [say(`${request.model} ${nth}`)]);
    const texts: string[] = [];
    for (const model of ["a", "b"]) {
      texts.push((await collect(provider.generate(requestFor(model), { signal: never() }))).text);
    }
    expect(texts).toEqual(["a 0", "b 1"]);
  });

  it("refuses a generation beyond its list", async () => {
    const { error } = await run([]);
    expect(error).toBeInstanceOf(ProviderError);
    expect(error).toMatchObject({ providerKind: "refused", code: "script_exhausted" });
  });

  it("plays asynchronous replies, and gives up one that hangs when it is aborted", async () => {
    async function* reply(): AsyncGenerator<Step> {
      yield say("so far");
      await new Promise(() => {});
    }
    const control = new AbortController();
    const got = await collect(
      make(() => reply()).generate(requestFor("m"), { signal: control.signal }),
      (event) => event.type === "text" && control.abort(new Error("stop")),
    );
    expect(got.text).toBe("so far");
    expect(got.error).toEqual(new Error("stop"));
  });

  it("keeps arguments that were no JSON as the model wrote them", async () => {
    const { events } = await run([[badCall("list_dir", '{"path": ')]]);
    expect(events.find((event) => event.type === "tool_call")).toMatchObject({
      call: { name: "list_dir", malformed: '{"path": ' },
    });
  });

  it("gives a call of a later turn another id", async () => {
    const earlier = {
      role: "assistant",
      origin: "model",
      parts: [{ type: "tool_call", call: { id: "call_scripted_0", name: "x", arguments: {} } }],
    } as const;
    const messages = [textMessage("user", "goal", "go"), earlier];
    const provider = make([[call("x", {})]]);
    const { events } = await collect(provider.generate(requestFor("m", { messages }), { signal: never() }));
    expect(events[1]).toMatchObject({ call: { id: "call_scripted_1" } });
  });

  it("throws the very error that the script names, and wraps what the script itself throws", async () => {
    const mine = new ProviderError({ kind: "auth", code: "auth" }, "No.");
    expect((await run([[failWith(mine)]])).error).toBe(mine);
    const broken = make(() => {
      throw new TypeError("a mistake in the script");
    });
    const { error } = await collect(broken.generate(requestFor("m"), { signal: never() }));
    expect(error).toBeInstanceOf(InternalError);
    expect((error as Error).message).toContain("a mistake in the script");
  });

  it("counts what is in flight and the most that ever was", async () => {
    const provider = make(() => [hang()]);
    const control = new AbortController();
    const running = [1, 2, 3].map(() =>
      collect(provider.generate(requestFor("m"), { signal: control.signal })),
    );
    await settle();
    expect([provider.inFlight, provider.peakInFlight, provider.begun]).toEqual([3, 3, 3]);
    control.abort();
    await Promise.all(running);
    expect([provider.inFlight, provider.peakInFlight]).toEqual([0, 3]);
  });

  it("says of itself that it is simulated, and knows the models it was given", async () => {
    const open = make([]);
    expect(await open.server(never())).toMatchObject({ simulated: true });
    expect(await open.describe("any", never())).toMatchObject({ name: "any", tools: true });
    const closed = scripted({ clock: new SimulatedClock(), reply: [], models: [] });
    await expect(closed.describe("any", never())).rejects.toMatchObject({ code: "model_not_found" });
    expect(await closed.loaded(never())).toEqual([]);
    await expect(closed.preload("any", { signal: never() })).resolves.toBeUndefined();
  });
});
