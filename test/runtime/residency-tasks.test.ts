// Whole tasks and sessions on a server whose models are loaded and unloaded at our command: the real scheduler plans,
// the real provider speaks, and a server in the shape of Ollama does what real ones do, on a virtual clock.

import { describe, expect, test } from "vitest";
import type { StoredEvent } from "../../src/core/event.ts";
import { box, type Box } from "./residency-box.ts";
import { NOTHING_HELD } from "./rig.ts";

const DONE = { state: "done", code: undefined };

async function delegated({ rig }: Box, agents: readonly (string | null)[]): Promise<readonly string[]> {
  const requests = agents.map((agent, at) => ({ goal: `dig ${at}`, ...(agent !== null && { agent }) }));
  return (await rig.api.delegateBatch(requests)).map(({ taskId }) => taskId);
}

async function eventsOf({ rig }: Box): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  const over = new AbortController();
  const timer = rig.clock.after(0, () => over.abort());
  const read = (async () => {
    for await (const frame of rig.api.events({ after: 0, signal: over.signal })) {
      if (frame.kind === "event") events.push(frame.event);
    }
  })().catch(() => {});
  await rig.clock.advance(0);
  timer.cancel();
  await read;
  return events;
}

describe("the common case of one model", () => {
  test("begins with one load at once, and never loads again", async () => {
    const all = box({ loadMs: 1_000, answerMs: 500 });
    const ids = await delegated(all, [null, null, null]);
    await all.clock.advance(0);
    expect(all.server.chats).toMatchObject([{ model: "a:latest", messages: [] }]);
    await all.clock.advance(1_000 + 3 * 500 + 1_000);
    expect(await Promise.all(ids.map(all.ended))).toEqual([DONE, DONE, DONE]);
    expect(all.server.loads).toBe(1);
    expect(all.rig.runtime.counts()).toMatchObject(NOTHING_HELD);
  });

  test("with the model in memory already costs nothing but a look", async () => {
    const all = box({ answerMs: 500 });
    all.server.foreignLoad("a", 4_096);
    await all.rig.runtime.recover();
    await all.clock.advance(0);
    const [id] = await delegated(all, [null]);
    await all.clock.advance(600);
    expect(await all.ended(id as string)).toEqual(DONE);
    expect(all.server.loads).toBe(0);
    expect(all.server.chats).toHaveLength(1);
  });
});

describe("two models that do not fit together", () => {
  test("are swapped by us, each once, and no request ever makes the server swap", async () => {
    const all = box();
    const ids = await delegated(all, [null, "other", null, "other", null, "other"]);
    await all.clock.advance(600_000);
    expect(await Promise.all(ids.map(all.ended))).toEqual(ids.map(() => DONE));
    expect(all.server.loads).toBe(2);
    expect(all.server.rude).toBe(0);
    expect(all.rig.runtime.counts()).toMatchObject(NOTHING_HELD);
  });

  test("G15 are asked with the options of their profile alone, byte for byte: sessions, children, loads", async () => {
    const all = box();
    await delegated(all, [null, "other", null]);
    const session = await all.rig.api.createSession();
    await all.rig.api.sendMessage(session.taskId, { text: "Hello." });
    await all.clock.advance(600_000);
    const loading = all.server.chats.filter(({ keep_alive }) => keep_alive !== 0);
    expect(loading.length).toBeGreaterThan(5);
    expect(
      new Set(loading.map(({ shift, options }) => JSON.stringify([shift, options?.["num_ctx"]]))),
    ).toEqual(new Set([JSON.stringify([false, 4_096])]));
    const turns = all.server.chats.filter(({ messages }) => messages.length > 0);
    expect(turns.filter((turn) => "keep_alive" in turn)).toEqual([]);
    const extra = turns.flatMap(({ options }) => Object.keys(options ?? {}));
    expect(new Set(extra)).toEqual(new Set(["num_predict", "num_ctx"]));
  });
});

describe("a server that misbehaves", () => {
  test("by a load that hangs: turns are told what to do and the tasks end; nothing hangs", async () => {
    const all = box();
    all.server.isWedged = true;
    const ids = await delegated(all, [null, null]);
    await all.clock.advance(3_600_000);
    for (const id of ids) expect(await all.ended(id)).toEqual({ state: "failed", code: "load_wedged" });
    const retried = (await eventsOf(all)).filter(({ type }) => type === "generation.retried");
    expect(retried.length).toBeGreaterThan(0);
    expect(all.rig.runtime.counts()).toMatchObject(NOTHING_HELD);
    const [gpu] = await all.rig.api.gpus();
    expect(gpu?.residency).toMatchObject([{ profile: "a:latest@4096", state: "absent" }]);
  });

  test("by a load that hangs until somebody starts it again: the tasks go on", async () => {
    const all = box();
    all.server.isWedged = true;
    const ids = await delegated(all, [null, null]);
    await all.clock.advance(70_000);
    all.server.restart();
    await all.clock.advance(200_000);
    expect(await Promise.all(ids.map(all.ended))).toEqual([DONE, DONE]);
  });

  test("by a restart in the middle: what was loaded is loaded again, and the tasks end well", async () => {
    const all = box({ answerMs: 3_000 });
    const ids = await delegated(all, [null, null, null]);
    await all.clock.advance(3_500);
    all.server.isDown = true;
    await all.clock.advance(4_000);
    all.server.restart();
    await all.clock.advance(120_000);
    expect(await Promise.all(ids.map(all.ended))).toEqual([DONE, DONE, DONE]);
    expect(all.server.loads).toBe(2);
  });

  test("by a model that is deleted under us: its tasks fail by that name, others go on", async () => {
    const all = box({ answerMs: 10_000 });
    const ids = await delegated(all, [null, null, "other"]);
    await all.clock.advance(5_000);
    all.server.remove("a");
    await all.clock.advance(300_000);
    const [first, second, other] = await Promise.all(ids.map(all.ended));
    expect(first).toEqual(DONE);
    expect(second).toEqual({ state: "failed", code: "model_not_found" });
    expect(other).toEqual(DONE);
    expect(all.rig.runtime.counts()).toMatchObject(NOTHING_HELD);
  });

  test("by a model that is deleted and pulled again: the next task that wants it finds it at once", async () => {
    const all = box({ answerMs: 1_000 });
    all.server.remove("a");
    const [first] = await delegated(all, [null]);
    await all.clock.advance(10_000);
    expect(await all.ended(first as string)).toEqual({ state: "failed", code: "model_not_found" });
    all.server.install("a");
    const [second] = await delegated(all, [null]);
    await all.clock.advance(10_000);
    expect(await all.ended(second as string)).toEqual(DONE);
  });

  test("by another program that takes the model's place: it is loaded again, and shown as another's", async () => {
    const all = box({ answerMs: 1_000 });
    const [first] = await delegated(all, [null]);
    await all.clock.advance(4_000);
    expect(await all.ended(first as string)).toEqual(DONE);
    all.server.loaded.clear();
    all.server.foreignLoad("x:7b");
    await all.clock.advance(40_000);
    const [gpu] = await all.rig.api.gpus();
    expect(gpu?.loaded).toMatchObject([{ model: "x:7b", foreign: true }]);
    expect(gpu?.residency).toMatchObject([{ profile: "a:latest@4096", state: "absent" }]);
    const [second] = await delegated(all, [null]);
    await all.clock.advance(200_000);
    expect(await all.ended(second as string)).toEqual(DONE);
  });
});
