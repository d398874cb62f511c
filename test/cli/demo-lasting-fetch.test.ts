// The fetch that outlives its server: what it waits for, what it says twice, and what never.

import { describe, expect, it } from "vitest";
import { SimulatedClock, settle } from "../../src/base/clock.ts";
import { lastingFetch } from "../../src/cli/demo-lasting-fetch.ts";

type Answer = () => Promise<Response>;

function rig(...answers: readonly Answer[]) {
  const clock = new SimulatedClock();
  const asked: RequestInit[] = [];
  const state = { serving: Promise.resolve() as Promise<unknown> };
  const fetch = lastingFetch({
    fetch: (_url, init) => {
      asked.push(init);
      return (answers[asked.length - 1] ?? broken)();
    },
    clock,
    serving: () => state.serving,
  });
  return { clock, asked, state, fetch };
}

const broken: Answer = () => Promise.reject(new TypeError("fetch failed"));
const text = (body: string): Answer => {
  return () => Promise.resolve(new Response(body, { headers: { "content-type": "text/plain" } }));
};
/** An answer whose server dies in the middle of it. */
const torn: Answer = () =>
  Promise.resolve(
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode("half"));
          controller.error(new TypeError("terminated"));
        },
      }),
    ),
  );

const KEYED = { method: "POST", headers: { "idempotency-key": "msg_1" } };

describe("lastingFetch", () => {
  it.each([
    ["what reads", {}],
    ["what carries an idempotency key", KEYED],
  ])("L1 repeats %s, also where the answer broke in the middle", async (_name, init) => {
    const { clock, asked, fetch } = rig(broken, torn, text("whole"));
    const answer = fetch("http://x/", init);
    await clock.advance(1_000);
    expect(await (await answer).text()).toBe("whole");
    expect(asked).toEqual([init, init, init]);
  });

  it("L1 repeats no write without a key", async () => {
    const { asked, fetch } = rig(broken, text("never"));
    await expect(fetch("http://x/", { method: "POST" })).rejects.toThrow("fetch failed");
    expect(asked).toHaveLength(1);
  });

  it("gives up when nobody answers though a server is said to serve", async () => {
    const { clock, asked, fetch } = rig();
    const answer = fetch("http://x/", {}).catch((error: unknown) => error);
    await clock.advance(10_000);
    expect(await answer).toMatchObject({ message: "fetch failed" });
    expect(asked).toHaveLength(5);
  });

  it("asks nobody while nothing serves, and fails with what keeps it from serving", async () => {
    const { asked, state, fetch } = rig(text("late"), text("never"));
    const back = Promise.withResolvers<void>();
    state.serving = back.promise;
    const answer = fetch("http://x/", {});
    await settle();
    expect(asked).toEqual([]);
    back.resolve();
    expect(await (await answer).text()).toBe("late");
    state.serving = Promise.reject(new Error("It did not come back."));
    await expect(fetch("http://x/", {})).rejects.toThrow("It did not come back.");
    expect(asked).toHaveLength(1);
  });

  it("ends with the signal, also while nothing serves", async () => {
    const { state, fetch } = rig();
    state.serving = new Promise(() => {});
    const stop = new AbortController();
    const answer = fetch("http://x/", { signal: stop.signal });
    stop.abort(new Error("Interrupted."));
    await expect(answer).rejects.toThrow("Interrupted.");
  });

  it("keeps status and kind of an answer, one without a body too", async () => {
    const problem = { status: 409, headers: { "content-type": "application/problem+json" } };
    const { fetch } = rig(
      () => Promise.resolve(new Response("{}", problem)),
      () => Promise.resolve(new Response(null, { status: 204 })),
    );
    const refused = await fetch("http://x/", {});
    expect([refused.status, refused.headers.get("content-type")]).toEqual([409, "application/problem+json"]);
    expect((await fetch("http://x/", {})).status).toBe(204);
  });

  it("L2 hands a stream over unread, and does not mend it", async () => {
    const stream = new Response(new ReadableStream(), { headers: { "content-type": "text/event-stream" } });
    const { fetch } = rig(() => Promise.resolve(stream));
    expect(await fetch("http://x/", {})).toBe(stream);
  });
});
