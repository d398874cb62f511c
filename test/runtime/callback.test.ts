// A program that is told how tasks end: it stands here as a fetch that writes down what it was sent and answers as the
// test says.

import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/base/ids.ts";
import { silentLogger } from "../../src/base/log.ts";
import { Callback, forgetOldCallbacks, readerOf } from "../../src/runtime/callback.ts";
import { say } from "../../providers/script.ts";
import { rig } from "./rig.ts";

const ENDS = ["task.done", "task.failed", "task.cancelled"] as const;
const CI = { name: "ci", url: "http://ci.test/hook", events: ENDS, token: null };

interface Sent {
  readonly type: string;
  readonly taskId: string;
  readonly key: string | null;
  readonly authorization: string | null;
}

function make(statuses: number[] = []) {
  const made = rig({ reply: () => [say("gold")] });
  const sent: Sent[] = [];
  const start = (authorization: string | null = null): Callback => {
    const callback = new Callback({
      target: CI,
      authorization: () => authorization,
      store: made.store,
      clock: made.clock,
      random: seededRandom(7),
      logger: silentLogger,
      fetch: async (_url, init) => {
        const headers = new Headers(init?.headers);
        const body = JSON.parse(init?.body as string) as { event: { type: string; task_id: string } };
        sent.push({
          type: body.event.type,
          taskId: body.event.task_id,
          key: headers.get("idempotency-key"),
          authorization: headers.get("authorization"),
        });
        const status = statuses.shift() ?? 204;
        if (status === 0) throw new TypeError("fetch failed");
        if (status === 1) return new Promise(() => {});
        return new Response(null, { status });
      },
    });
    callback.start();
    return callback;
  };
  const dig = async (goal: string): Promise<string> => {
    const { taskId } = await made.api.delegate({ goal });
    await made.clock.advance(10);
    return taskId;
  };
  return { ...made, sent, start, dig };
}

describe("Callback", () => {
  test("tells a new program of what ends from now on, and of nothing else", async () => {
    const it = make();
    await it.dig("before");
    await it.clock.advance(10_000);
    const armed = it.clock.pending;
    const callback = it.start("Bearer k");
    await it.clock.advance(10);
    const taskId = await it.dig("after");
    await it.clock.advance(10);
    expect(it.sent).toEqual([
      { type: "task.done", taskId, key: expect.stringMatching(/^store_\w+:\d+$/), authorization: "Bearer k" },
    ]);
    await callback.close();
    await it.clock.advance(10_000);
    expect(it.clock.pending).toBe(armed);
  });

  test("B1 sends again, by the same key and before anything later, what was not taken", async () => {
    const it = make([500, 0, 503, 204]);
    const callback = it.start();
    await it.clock.advance(10);
    const first = await it.dig("first");
    const second = await it.dig("second");
    await it.clock.advance(10_000);
    expect(it.sent.map(({ taskId }) => taskId)).toEqual([first, first, first, first, second]);
    expect(new Set(it.sent.map(({ key }) => key)).size).toBe(2);
    await callback.close();
  });

  test("B1 goes on after a restart with what it had not seen taken", async () => {
    const it = make([500]);
    const callback = it.start();
    await it.clock.advance(10);
    const first = await it.dig("first");
    await callback.close();
    const second = await it.dig("second");
    const again = it.start();
    await it.clock.advance(10);
    expect(it.sent.map(({ taskId }) => taskId)).toEqual([first, first, second]);
    await again.close();
  });

  test("B2 breaks off a request that is not answered, and makes it again", async () => {
    const it = make([1, 204]);
    const callback = it.start();
    await it.clock.advance(10);
    await it.dig("first");
    await it.clock.advance(14_000);
    expect(it.sent).toHaveLength(1);
    await it.clock.advance(3_000);
    expect(it.sent).toHaveLength(2);
    await callback.close();
  });

  test("B2 does not wait for an answer when the server stops", async () => {
    const it = make([1]);
    const callback = it.start();
    await it.clock.advance(10);
    await it.dig("first");
    await callback.close();
    expect(it.sent).toHaveLength(1);
  });

  test("B3 stops telling who answers 410, and keeps nothing for it", async () => {
    const it = make([410]);
    const callback = it.start();
    await it.clock.advance(10);
    await it.dig("first");
    await it.dig("second");
    await it.clock.advance(60_000);
    expect([it.sent.length, await it.store.readers()]).toEqual([1, []]);
    await callback.close();
  });

  test("follows the log when there is nothing to tell, so that retention need not wait for it", async () => {
    const it = make();
    const callback = it.start();
    await it.clock.advance(10);
    await it.api.createSession();
    await it.clock.advance(70_000);
    expect(await it.store.readerCursor(readerOf("ci"))).toBe((await it.store.bounds()).newest);
    await callback.close();
  });
});

test("cursors of callbacks that the config has no more are forgotten, and no others", async () => {
  const { store } = make();
  for (const name of ["callback:ci", "callback:old", "telemetry"]) await store.moveReader(name, 1);
  await forgetOldCallbacks(store, [CI]);
  expect(await store.readers()).toEqual(["callback:ci", "telemetry"]);
});
