import { describe, expect, test } from "vitest";
import { NotFoundError } from "../../../src/base/errors.ts";
import { LiveBox } from "../../../src/cli/top/live-box.ts";
import { breakableRig, UNREACHABLE } from "./breakable-api.ts";

function watching(rootId?: string) {
  const rig = breakableRig();
  const stop = new AbortController();
  let changes = 0;
  const box = new LiveBox({
    api: rig.api,
    clock: rig.clock,
    onChange: () => void (changes += 1),
    ...(rootId !== undefined && { rootId }),
  });
  const ended = box.run(stop.signal).then(
    () => null,
    (error: unknown) => error,
  );
  const leave = async (): Promise<unknown> => {
    stop.abort();
    await rig.clock.advance(10_000);
    return ended;
  };
  return { ...rig, box, ended, leave, changes: () => changes };
}

describe("what is known of a box", () => {
  test("is there after the first look, and follows what happens", async () => {
    const { api, box, clock, leave, changes } = watching();
    expect(box.liveness).toEqual({ kind: "connecting" });
    await clock.advance(1_000);
    expect([box.liveness, box.nodes, changes() > 0]).toEqual([{ kind: "live" }, [], true]);
    expect(box.gpus.length).toBeGreaterThan(0);
    const { taskId } = await api.delegate({ goal: "seen" });
    await clock.advance(1_000);
    expect(box.nodes).toMatchObject([{ taskId, state: "spawned" }]);
    expect(await leave()).toBe(null);
  });

  test("follows an event before the next look is there", async () => {
    const { api, box, clock, leave } = watching();
    const { taskId } = await api.delegate({ goal: "seen" });
    await clock.advance(1_000);
    const { promise, resolve } = Promise.withResolvers<void>();
    api.held = promise;
    api.start(taskId);
    await clock.advance(300);
    expect(box.nodes).toMatchObject([{ taskId, state: "running", phase: "generating" }]);
    api.held = null;
    resolve();
    await clock.advance(1_000);
    expect(box.nodes).toMatchObject([{ taskId, state: "running" }]);
    await leave();
  });

  test("L1 is looked at a few times a second, however much happens", async () => {
    const { api, clock, leave } = watching();
    await clock.advance(1_000);
    const before = api.looks;
    for (let at = 0; at < 100; at += 1) {
      await api.delegate({ goal: `${at}` });
      await clock.advance(50);
    }
    expect(api.looks - before).toBeLessThanOrEqual(21);
    await leave();
  });

  test("a look that takes long makes it old, and says so", async () => {
    const { api, box, clock, leave } = watching();
    await clock.advance(1_000);
    const since = clock.now();
    const { promise, resolve } = Promise.withResolvers<void>();
    api.held = promise;
    await clock.advance(20_000);
    expect(box.liveness).toMatchObject({ kind: "lost", why: "The server takes long to answer." });
    expect((box.liveness as { since: number }).since).toBeLessThanOrEqual(since);
    resolve();
    api.held = null;
    await leave();
  });
});

describe("L2 nobody answering", () => {
  test("says since when, goes on trying, and is live again", async () => {
    const { api, box, clock, leave } = watching();
    await clock.advance(1_000);
    const since = clock.now();
    api.broken = UNREACHABLE;
    await clock.advance(30_000);
    expect(box.liveness).toMatchObject({ kind: "lost", why: UNREACHABLE.message });
    expect((box.liveness as { since: number }).since).toBeLessThanOrEqual(since + 2_000);
    api.broken = null;
    await clock.advance(6_000);
    expect(box.liveness).toEqual({ kind: "live" });
    expect(await leave()).toBe(null);
  });
});

describe("L3 what trying again does not mend", () => {
  test("ends it: a tree that is not there, and a server that never was", async () => {
    const { api, clock, ended, leave } = watching();
    await clock.advance(1_000);
    const gone = new NotFoundError("task_not_found", "There is no such task.");
    api.broken = gone;
    await clock.advance(5_000);
    expect(await ended).toBe(gone);
    await leave();
    const never = breakableRig();
    never.api.broken = UNREACHABLE;
    const box = new LiveBox({ ...never, onChange: () => {} });
    await expect(box.run(new AbortController().signal)).rejects.toBe(UNREACHABLE);
  });
});
