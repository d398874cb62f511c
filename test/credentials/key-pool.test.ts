// The pool as a whole: leases, caps, conversations, waiting, and what a refusal does to the keys beside it.

import { describe, expect, it } from "vitest";
import { SimulatedClock, type Clock } from "../../src/base/clock.ts";
import type { KeyStrategy } from "../../src/core/key-state.ts";
import { KeyPool, type KeyAnswer, type KeyAsk } from "../../src/credentials/key-pool.ts";
import type { KeyLease } from "../../src/credentials/key-lease.ts";
import type { KeyPlan } from "../../src/credentials/pool-key.ts";
import { NEED, plan, refusal } from "./pool-specimens.ts";

function pool(
  plans: readonly KeyPlan[],
  strategy: KeyStrategy = "fill_first",
  clock: Clock = new SimulatedClock(),
) {
  const calls: string[] = [];
  const made = new KeyPool({ provider: "cloud", strategy, clock, random: { next: () => 0 } });
  made.sync(plans);
  const ask = (conversation = "c", model: string = NEED.model): KeyAsk => ({
    need: { ...NEED, model },
    conversation,
    protocol: "openai",
    wake: () => calls.push(conversation) > 0,
  });
  const take = (conversation?: string, model?: string): KeyAnswer => made.take(ask(conversation, model));
  const lease = (conversation?: string, model?: string): KeyLease => {
    const answer = take(conversation, model);
    if (answer.type !== "lease") throw new Error(`expected a lease, got ${JSON.stringify(answer)}`);
    return answer.lease;
  };
  const acquire = (conversation: string, waitMs: number, signal = new AbortController().signal) =>
    made.acquire(ask(conversation), { signal, waitMs });
  const fail = (error = refusal("auth"), conversation?: string): string => {
    const held = lease(conversation);
    held.failed(error);
    held.end();
    return held.fingerprint;
  };
  return { made, clock: clock as SimulatedClock, calls, ask, take, lease, acquire, fail };
}

describe("leases", () => {
  it("are given by the strategy, counted, and end once", () => {
    const { made, lease } = pool([plan("a"), plan("b")], "least_in_flight");
    const first = lease("x");
    expect(lease("y").fingerprint).not.toBe(first.fingerprint);
    expect(made.shown().map(({ inFlight }) => inFlight)).toEqual([1, 1]);
    first.end();
    first.end();
    first.succeeded();
    expect(first.failed(refusal("auth")).rotation).toBe("never");
    first.observed([{ what: "requests", scope: "key", limit: 1, remaining: 0, resetMs: 9 }]);
    expect(made.shown().map(({ inFlight, state }) => [inFlight, state])).toEqual([
      [0, "ready"],
      [1, "ready"],
    ]);
    expect(made.counts()).toEqual({ leases: 1, waiting: 0 });
  });

  it("stay with the key of their conversation until it is punished or idle", async () => {
    const { lease, clock, fail } = pool([plan("a"), plan("b")], "round_robin");
    const keyOf = (conversation: string): string => {
      const held = lease(conversation);
      held.end();
      return held.fingerprint;
    };
    expect([keyOf("x"), keyOf("y"), keyOf("x"), keyOf("x"), keyOf("y")]).toEqual(["a", "b", "a", "a", "b"]);
    await clock.advance(300_001);
    expect(keyOf("y")).toBe("a");
    fail(refusal("rate_limited"), "y");
    expect(keyOf("y")).toBe("b");
  });

  it("respect the cap of a key, and go to the next one", () => {
    const { lease, take } = pool([plan("a", { concurrency: 2 }), plan("b", { concurrency: 1 })]);
    expect([lease("1"), lease("2"), lease("3")].map((each) => each.fingerprint)).toEqual(["a", "a", "b"]);
    expect(take("4")).toEqual({ type: "busy" });
  });
});

describe("when no key is left", () => {
  it("says how long the first of them takes, or that nothing is to wait for", async () => {
    const { fail, take, clock } = pool([plan("a"), plan("b")]);
    expect(fail(refusal("rate_limited", { retryAfterMs: 9000 }))).toBe("a");
    expect(fail(refusal("quota"))).toBe("b");
    expect(take()).toMatchObject({ type: "cooling", waitMs: 9000 });
    await clock.advance(9000);
    expect(fail(refusal("auth", { code: "key_revoked" }))).toBe("a");
    expect(take()).toEqual({
      type: "none",
      returnsInMs: 291_000,
      reason:
        "env:A is dead: the server says that it will not work again; env:B is exhausted: its money or quota is used up",
    });
  });

  it("waits in place for a time, and takes the key that comes free", async () => {
    const { acquire, clock, fail, made } = pool([plan("a")]);
    fail(refusal("rate_limited", { retryAfterMs: 1500 }));
    const waiting = acquire("x", 2000);
    await clock.advance(1500);
    expect(await waiting).toMatchObject({ type: "lease" });
    expect(made.counts()).toEqual({ leases: 1, waiting: 0 });
  });

  it("does not wait in place for what takes longer, and calls when it is there", async () => {
    const { acquire, clock, fail, calls } = pool([plan("a")]);
    fail(refusal("rate_limited", { retryAfterMs: 60_000 }));
    expect(await acquire("x", 2000)).toMatchObject({ type: "cooling", waitMs: 60_000 });
    await clock.advance(59_999);
    expect(calls).toEqual([]);
    await clock.advance(1);
    expect(calls).toEqual(["x"]);
  });

  it("waits for a busy key, then says so, and keeps the turn of who went away", async () => {
    const { acquire, clock, lease, take, calls } = pool([plan("a", { concurrency: 1 })]);
    const held = lease("holder");
    const first = acquire("first", 2000);
    await clock.advance(2000);
    expect(await first).toEqual({ type: "busy" });
    held.end();
    expect(calls).toEqual(["first"]);
    expect(take("newcomer")).toEqual({ type: "busy" });
    expect(take("first")).toMatchObject({ type: "lease" });
  });

  it("lets a called one's turn go after a while, so that nothing is held for who never comes", async () => {
    const { acquire, clock, lease, take, calls } = pool([plan("a", { concurrency: 1 })]);
    const held = lease("holder");
    const gone = acquire("gone", 0);
    await clock.advance(0);
    await gone;
    const patient = acquire("patient", 60_000);
    held.end();
    expect(calls).toEqual(["gone"]);
    await clock.advance(10_001);
    expect(await patient).toMatchObject({ type: "lease" });
    expect(take("newcomer")).toEqual({ type: "busy" });
  });

  it("holds nothing for who gives up", async () => {
    const { acquire, lease, made, take, calls } = pool([plan("a", { concurrency: 1 })]);
    const held = lease("holder");
    const abort = new AbortController();
    const waiting = acquire("x", 60_000, abort.signal);
    abort.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(acquire("x", 5, abort.signal)).rejects.toThrow("enough");
    expect(made.counts().waiting).toBe(0);
    take("y");
    made.withdraw("y");
    held.end();
    expect(calls).toEqual([]);
    expect(made.counts()).toEqual({ leases: 0, waiting: 0 });
  });

  it("serves those in place in the order in which they came", async () => {
    const { acquire, lease, clock } = pool([plan("a", { concurrency: 1 })]);
    const held = lease("holder");
    const order: string[] = [];
    for (const who of ["1", "2", "3"]) {
      void acquire(who, 60_000).then((answer) => {
        order.push(who);
        if (answer.type === "lease") answer.lease.end();
      });
    }
    held.end();
    await clock.advance(1);
    expect(order).toEqual(["1", "2", "3"]);
  });

  it("tells those that wait when there is nothing to wait for any more", async () => {
    const { acquire, lease } = pool([plan("a", { concurrency: 1 })]);
    const held = lease("holder");
    const waiting = acquire("x", 60_000);
    held.failed(refusal("auth", { code: "key_revoked" }));
    held.end();
    expect(await waiting).toMatchObject({ type: "none", returnsInMs: null });
  });

  it("arms no timer once it is closed", async () => {
    const { made, fail, take, clock } = pool([plan("a")]);
    fail(refusal("rate_limited", { retryAfterMs: 5000 }));
    take("x");
    expect(clock.pending).toBe(1);
    made.close();
    take("y");
    expect(clock.pending).toBe(0);
  });
});

describe("a refusal", () => {
  it("of an account rests all its keys, and no others", () => {
    const org = { account: "org" };
    const { fail, lease, made } = pool([plan("a", org), plan("b", org), plan("c")]);
    fail(refusal("rate_limited", { retryAfterMs: 9000 }));
    expect(lease("x").fingerprint).toBe("c");
    expect(lease("y", "other").fingerprint).toBe("a");
    expect(made.shown().map(({ models }) => models.length)).toEqual([1, 1, 0]);
  });

  it("of a key rests that key alone, also where it shares an account", () => {
    const org = { account: "org" };
    const { fail, made } = pool([plan("a", org), plan("b", org)]);
    fail(refusal("auth"));
    expect(made.shown().map(({ state }) => state)).toEqual(["suspect", "ready"]);
  });

  it("of an overloaded server rests everything", () => {
    const { fail, take } = pool([plan("a"), plan("b")]);
    fail(refusal("overloaded", { status: 529 }));
    expect(take()).toMatchObject({ type: "cooling", waitMs: 15_000 });
  });

  it("of the way there opens the breaker, and one request proves that it is over", async () => {
    const { fail, take, clock, lease } = pool([plan("a"), plan("b")], "round_robin");
    for (let nth = 0; nth < 3; nth++) fail(refusal("network"), `c${nth}`);
    expect(take()).toMatchObject({ type: "cooling", waitMs: 10_000 });
    await clock.advance(10_000);
    const probe = lease();
    expect(take("y")).toEqual({ type: "busy" });
    probe.succeeded();
    probe.end();
    expect(take("z")).toMatchObject({ type: "lease" });
  });

  it("that was answered by headers stops the key before the next one", () => {
    const { lease } = pool([plan("a"), plan("b")]);
    const held = lease("x");
    held.observed([{ what: "requests", scope: "model", limit: 5, remaining: 0, resetMs: 60_000 }]);
    expect(lease("x").fingerprint).toBe("b");
  });
});

describe("a person", () => {
  it("switches keys off and on, and what became of them is forgotten", () => {
    const { made, fail, take } = pool([plan("a")]);
    expect(made.setDisabled("nobody", true)).toBe(false);
    expect(made.setDisabled("a", true)).toBe(true);
    expect(take()).toMatchObject({ type: "none", returnsInMs: null });
    expect(made.shown()).toMatchObject([{ state: "disabled", until: null }]);
    made.setDisabled("a", false);
    fail(refusal("auth", { code: "key_revoked" }));
    expect(made.records()).toMatchObject([{ state: "dead" }]);
    made.setDisabled("a", false);
    expect(take()).toMatchObject({ type: "lease" });
    expect(made.records()).toEqual([]);
  });

  it("puts another key in the place of a dead one", () => {
    const { made, fail, lease } = pool([plan("a"), plan("b")]);
    fail(refusal("auth", { code: "key_revoked" }));
    made.sync([plan("new"), plan("b"), plan("b")]);
    expect(made.shown().map(({ fingerprint }) => fingerprint)).toEqual(["new", "b"]);
    expect(lease("fresh").fingerprint).toBe("new");
  });
});

describe("a clock that jumps", () => {
  /** Its wall clock can be set; time goes on as it does. */
  class JumpingClock extends SimulatedClock {
    offset = 0;
    override now(): number {
      return super.now() + this.offset;
    }
  }

  it("neither lengthens nor shortens what a key sits out", async () => {
    const clock = new JumpingClock();
    const { fail, take, made } = pool([plan("a")], "fill_first", clock);
    fail(refusal("rate_limited", { retryAfterMs: 30_000, limitScope: "key" }));
    for (const offset of [86_400_000, -86_400_000]) {
      clock.offset = offset;
      expect(take()).toMatchObject({ type: "cooling", waitMs: 30_000 });
      expect(made.shown()[0]?.until).toBe(clock.now() + 30_000);
    }
    await clock.advance(30_000);
    expect(take()).toMatchObject({ type: "lease" });
  });
});

it("goes on where another process stopped, and keeps no secret", () => {
  const before = pool([plan("a"), plan("b")]);
  before.fail(refusal("auth", { code: "key_revoked" }));
  const after = pool([plan("a"), plan("b")]);
  after.made.restore(before.made.records());
  expect(after.made.shown().map(({ state }) => state)).toEqual(["dead", "ready"]);
  expect(after.lease().fingerprint).toBe("b");
  after.made.restore([{ ...before.made.records()[0]!, provider: "another", fingerprint: "b" }]);
  expect(after.made.shown()[1]?.state).toBe("ready");
});
