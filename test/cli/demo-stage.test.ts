// The story where things go wrong: a parent that fails, and an API that refuses. That it goes right on a whole
// Troupe is shown by demo.test.ts.

import { describe, expect, it } from "vitest";
import { SimulatedClock, settle } from "../../src/base/clock.ts";
import { LimitError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { DemoStage } from "../../src/cli/demo-stage.ts";
import { REQUEST } from "../../src/cli/demo-story.ts";
import { DemoWatch } from "../../src/cli/demo-watch.ts";
import type { SessionMessage, TaskApi } from "../../src/core/api.ts";
import { event, recordAt } from "./demo-events.ts";

function stage(typingMs = 0) {
  const clock = new SimulatedClock();
  const stop = new AbortController();
  const record = recordAt(() => clock.now());
  const watch = new DemoWatch(record, stop.signal);
  const sent: SessionMessage[] = [];
  const api = {
    sendMessage: (_: string, message: SessionMessage) => Promise.resolve(sent.push(message)),
  } as unknown as TaskApi;
  const world = { clock, random: seededRandom(1) };
  const play = new DemoStage({ api, record, watch, world, signal: stop.signal, typingMs });
  return { clock, stop, record, watch, sent, play };
}

describe("DemoStage", () => {
  it("G2 ends a story whose parent answered without delegating, and asks nothing more", async () => {
    const { record, watch, sent, play } = stage();
    const playing = play.playWithModel();
    await settle();
    const steerId = sent[0]?.messageId as string;
    record.apply(event("steer.delivered", { steerId }, { phase: "generating" }));
    record.apply(event("answer.finished", { text: "No." }, { phase: "waiting_input" }));
    watch.changed();
    await playing;
    expect(sent.map(({ text }) => text)).toEqual([REQUEST]);
  });

  it("G2 ends a story whose parent's model failed", async () => {
    const { record, watch, sent, play } = stage();
    const playing = play.playWithModel();
    await settle();
    record.apply(event("steer.delivered", { steerId: sent[0]?.messageId as string }));
    const failure = { code: "network", message: "gone", retryInMs: null };
    record.apply(event("run.failed", failure, { phase: "waiting_input" }));
    watch.changed();
    await playing;
    expect(record.problem).toBe("gone");
  });

  it("G2 records what the API refuses a scripted parent, and goes on", async () => {
    const { record, watch, play } = stage();
    record.apply(event("task.started", {}, { phase: "waiting_input" }));
    const refusal = new LimitError("max_children", "No more children.");
    await play.playScripted({ delegate: () => Promise.reject(refusal) } as unknown as TaskApi);
    watch.changed();
    expect(record.calls.map((call) => call.failed)).toEqual([true, true, true]);
    expect(record.entries.map((entry) => entry.text)).toContain("delegate was refused: No more children.");
  });

  it("types before it sends, and stops in the middle of a line when it is interrupted", async () => {
    const { clock, stop, record, sent, play } = stage(10);
    const playing = play.playWithModel();
    await clock.advance(100);
    expect(record.typed).toBe(REQUEST.slice(0, 12));
    expect(sent).toEqual([]);
    const reason = new Error("Interrupted.");
    const ended = playing.catch((error: unknown) => error);
    stop.abort(reason);
    expect(await ended).toBe(reason);
    expect(clock.pending).toBe(0);
  });
});
