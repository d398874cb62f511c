// Who owns a task: another box that takes it, a claim that ran out, and the box that closes. The old owner lets go of
// everything, and nothing is owned by nobody.

import { describe, expect, test } from "vitest";
import { hang, say, wait } from "../../providers/script.ts";
import { watched, type Watched } from "./failing-store.ts";
import { NOTHING_HELD } from "./rig.ts";

const OTHER = { owner: "another box", boxId: "testbox", ttlMs: 60_000, max: 100 };

describe("a task that another owner has claimed", () => {
  /** Claims run out while this box does not renew them, and another takes everything. */
  async function stolen(it: Watched): Promise<void> {
    const heal = it.fail("heartbeat");
    await it.clock.advance(70_000);
    expect(await it.store.claim(OTHER)).not.toEqual([]);
    heal();
  }

  test("is let go at the next heartbeat, though it has nothing to write: socket, lease and place are free", async () => {
    const it = watched({ reply: () => [hang()] });
    await it.api.delegate({ goal: "dig" });
    await stolen(it);
    expect(it.provider.inFlight).toBe(1);
    await it.clock.advance(20_000);
    expect(it.lines.at(-1)).toMatch(/error: a task is lost to the store.*code="fenced"/);
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
    expect(it.provider.inFlight).toBe(0);
  });

  test("is let go at its next write, and nothing of that write is in the store", async () => {
    const it = watched({ reply: () => [wait(75_000), say("too late")] });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await stolen(it);
    const before = await it.store.get(taskId);
    await it.clock.advance(6_000);
    expect(await it.store.get(taskId)).toEqual(before);
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
    expect(it.provider.inFlight).toBe(0);
  });

  test("answers those who wait for it here, unfinished", async () => {
    const it = watched({ reply: () => [hang()] });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    const waiting = it.api.collect(taskId);
    await stolen(it);
    await it.clock.advance(20_000);
    expect(await waiting).toMatchObject({ finished: false });
  });
});

describe("a claim that ran out while nobody renewed it", () => {
  test("O2 is renewed before the next claim: living tasks are not claimed beneath their hosts", async () => {
    const it = watched({ reply: () => [wait(100_000), say("gold")] });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    const heal = it.fail("heartbeat");
    await it.clock.advance(70_000);
    heal();
    void it.api.delegate({ goal: "another" });
    await it.clock.advance(40_000);
    expect(await it.api.collect(taskId)).toMatchObject({ state: "done", result: "gold" });
    expect(it.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  });
});

describe("closing the runtime", () => {
  test("ends no task: everything is given back and another box finds it as it was", async () => {
    const it = watched({ reply: () => [hang()] });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(10);
    const waiting = it.api.collect(taskId);
    await it.runtime.close();
    expect(await waiting).toMatchObject({ finished: false });
    expect(await it.store.get(taskId)).toMatchObject({ state: "running", end: null });
    expect((await it.store.claim(OTHER)).map((claim) => claim.taskId)).toEqual([taskId]);
    await it.clock.advance(120_000);
    expect(it.lines).toEqual([]);
    expect(it.clock.pending).toBe(0);
    expect(it.provider.inFlight).toBe(0);
  });

  test("while a claim is under way gives back what that still takes", async () => {
    const it = watched({ reply: () => [hang()] });
    it.fail("claim", { times: 1, when: "after" });
    void it.api.delegate({ goal: "dig" }).catch(() => {});
    await it.clock.advance(10);
    await it.runtime.close();
    await it.clock.advance(60_000);
    expect(it.runtime.counts().living).toBe(0);
    expect(await it.store.claim(OTHER)).toHaveLength(1);
  });

  test("in the pause before a write is made again does not wait for it", async () => {
    const it = watched({ reply: () => [say("x")] });
    it.fail("commit");
    await it.api.delegate({ goal: "dig" });
    await it.clock.advance(100);
    await it.runtime.close();
    await it.clock.advance(60_000);
    expect(it.clock.pending).toBe(0);
    expect(it.lines.every((line) => line.startsWith("warn"))).toBe(true);
  });
});
