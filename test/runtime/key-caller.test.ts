// What the pool of keys comes to for whole tasks: a rotation is an event and no try, and who waits for a key holds no
// lease, says why, and goes on when its time has come.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { EventType, StoredEvent } from "../../src/core/event.ts";
import { cloudOf, good, OPENAI, server, type CloudAnswer } from "./key-cloud.ts";
import { rigOn } from "./rig.ts";

beforeAll(() => server.listen());
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

/** A box whose models are all behind these keys, on one clock. */
function box(keys: readonly (readonly CloudAnswer[])[], about: readonly object[] = []) {
  const cloud = cloudOf({ cloud: OPENAI, keys, about });
  const made = rigOn(cloud.clock, {
    reply: () => [],
    keys: cloud.desk,
    providerOf: (_ref, caller) => (caller ? cloud.pool.for("cloud", caller) : cloud.pool.of("cloud")),
  });
  const seen = async (taskId: string, type: EventType): Promise<StoredEvent> => {
    for await (const frame of made.api.events({ after: 0, taskId })) {
      if (frame.kind === "event" && frame.event.type === type) return frame.event;
    }
    throw new Error(`The events of ${taskId} ended without ${type}.`);
  };
  const types = async (taskId: string): Promise<readonly string[]> =>
    (await made.store.events({ after: 0, taskId })).map(({ type }) => type);
  return { ...made, cloud, seen, types };
}

const LIMITED = { status: 429, headers: { "retry-after": "40" } };

describe("a task whose provider has several keys", () => {
  test("goes on with the next key, and says so in an event without counting a try", async () => {
    const { api, cloud, seen, types, runtime } = box([[{ status: 401 }], []]);
    const { taskId } = await api.delegate({ goal: "x" });
    expect(await api.collect(taskId)).toMatchObject({ state: "done", result: "ok" });
    const [from, to] = cloud.shown().map(({ fingerprint }) => fingerprint);
    expect((await seen(taskId, "credential.rotated")).data).toMatchObject({
      provider: "cloud",
      model: "child",
      from,
      to,
      code: "auth",
    });
    expect(await types(taskId)).not.toContain("generation.retried");
    await runtime.close();
  });

  test("waits without a lease while all keys do, says until when, and goes on when the first is back", async () => {
    const { api, cloud, seen, scheduler, types, runtime } = box([[LIMITED, good(OPENAI)]]);
    const { taskId } = await api.delegate({ goal: "x" });
    expect((await seen(taskId, "generation.retried")).data).toMatchObject({
      code: "keys_cooling",
      retryInMs: expect.any(Number) as number,
    });
    await cloud.clock.advance(0);
    expect(scheduler.counts()).toMatchObject({ leases: 0 });
    const view = await api.check(taskId);
    expect(view).toMatchObject({ state: "running", phase: "backing_off" });
    expect(view.waitsFor).toContain("the first is back in 40 s");
    const end = api.collect(taskId);
    await cloud.clock.advance(40_000);
    expect(await end).toMatchObject({ state: "done" });
    expect((await types(taskId)).filter((type) => type === "generation.retried")).toHaveLength(1);
    expect(cloud.tried).toEqual([0, 0]);
    await runtime.close();
  });

  test("is woken when a busy key is free, long before it would have looked again", async () => {
    const { api, cloud, seen, runtime } = box([[]], [{ concurrency: 1 }]);
    const need = { model: "child", tokens: 1 };
    const held = cloud.desk.windowOf("cloud")!.pool.take({
      need,
      conversation: "other",
      protocol: "openai",
      wake: () => true,
    });
    const { taskId } = await api.delegate({ goal: "x" });
    const retried = seen(taskId, "generation.retried");
    // It waits a moment with its lease in hand, once it has come so far.
    await seen(taskId, "lease.granted");
    while (cloud.desk.windowOf("cloud")!.pool.counts().waiting === 0) await cloud.clock.advance(0);
    await cloud.clock.advance(2_000);
    expect((await retried).data).toMatchObject({ code: "keys_busy" });
    await cloud.clock.advance(0);
    const end = api.collect(taskId);
    const before = cloud.clock.monotonic();
    if (held.type === "lease") held.lease.end();
    expect(await end).toMatchObject({ state: "done" });
    expect(cloud.clock.monotonic()).toBe(before);
    await runtime.close();
  });

  test("called off while it waits for a busy key, it keeps no room from others", async () => {
    const { api, cloud, seen, runtime } = box([[]], [{ concurrency: 1 }]);
    const { pool } = cloud.desk.windowOf("cloud")!;
    const need = { model: "child", tokens: 1 };
    const ask = { need, conversation: "other", protocol: "openai", wake: () => true };
    const held = pool.take(ask);
    const { taskId } = await api.delegate({ goal: "x" });
    const retried = seen(taskId, "generation.retried");
    await seen(taskId, "lease.granted");
    while (pool.counts().waiting === 0) await cloud.clock.advance(0);
    await cloud.clock.advance(2_000);
    await retried;
    await api.cancel(taskId);
    await cloud.clock.advance(0);
    if (held.type === "lease") held.lease.end();
    expect(pool.take({ ...ask, conversation: "newcomer" })).toMatchObject({ type: "lease" });
    await runtime.close();
  });

  test("fails at once with all its keys refused, and names them", async () => {
    const { api, cloud, runtime } = box([[{ status: 401 }]]);
    const first = await api.delegate({ goal: "x" });
    expect((await api.collect(first.taskId)).failure).toMatchObject({ code: "auth" });
    const second = await api.delegate({ goal: "y" });
    const { failure } = await api.collect(second.taskId);
    expect(failure).toMatchObject({ code: "keys_refused" });
    expect(failure?.message).toContain("env:KEY_0 is suspect");
    expect(cloud.tried).toEqual([0]);
    await runtime.close();
  });
});
