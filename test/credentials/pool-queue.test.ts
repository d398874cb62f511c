import { describe, expect, it } from "vitest";
import { PoolQueue } from "../../src/credentials/pool-queue.ts";

/** A queue over a number of places. */
function queue() {
  const log: string[] = [];
  const made = new PoolQueue<string>();
  const state = { places: 0 };
  const wake = (who: string) => () => log.push(`called ${who}`) > 0;
  const serve = (now: number): void =>
    made.serve(now, {
      take: (who) => {
        if (state.places - made.calledBefore(who, now) < 1) return undefined;
        state.places -= 1;
        return who;
      },
      hasRoom: (who) => state.places > made.calledBefore(who, now),
    });
  return {
    made,
    log,
    state,
    serve,
    stay: (who: string, now = 0) =>
      made.join(
        { conversation: who, wake: wake(who), settle: (answer) => log.push(`served ${answer}`) },
        now,
      ),
    leave: (who: string, now = 0) => made.leave(who, wake(who), now),
  };
}

describe("PoolQueue", () => {
  it("serves in the order of first asking, those in place and those away", () => {
    const { stay, leave, state, serve, log, made } = queue();
    stay("a");
    leave("b");
    stay("c");
    state.places = 3;
    serve(1);
    expect(log).toEqual(["served a", "called b", "served c"]);
    expect(made.size).toBe(1);
  });

  it("keeps no room for who does not come any more", () => {
    const { made, serve, state, leave, log } = queue();
    for (const who of ["gone", "gone too"]) made.leave(who, () => false, 0);
    leave("here");
    state.places = 1;
    serve(0);
    expect(log).toEqual(["called here"]);
    expect(made.size).toBe(1);
  });

  it("keeps room for who was called, for a short while only", () => {
    const { stay, leave, state, serve, log, made } = queue();
    leave("away");
    stay("here");
    state.places = 1;
    serve(0);
    serve(9_999);
    expect(log).toEqual(["called away"]);
    expect(made.calledBefore("newcomer", 9_999)).toBe(1);
    expect(made.nextEnd()).toBe(10_000);
    serve(10_000);
    expect(log).toEqual(["called away", "served here"]);
    state.places = 1;
    serve(10_001);
    expect(log).toHaveLength(2);
  });

  it("calls again whoever has asked again, in its old turn", () => {
    const { stay, leave, state, serve, log, made } = queue();
    leave("first");
    leave("second");
    state.places = 1;
    serve(0);
    serve(10_000);
    leave("first", 11_000);
    expect(made.calledBefore("second", 11_000)).toBe(0);
    state.places = 2;
    serve(30_000);
    expect(log).toEqual(["called first", "called second", "called first"]);
    stay("second", 30_001);
    expect(made.waitsBefore("newcomer")).toBe(true);
    expect(made.waitsBefore("first")).toBe(false);
  });

  it("forgets who got a key, who wants none, and who never came back", () => {
    const { leave, serve, made } = queue();
    leave("a");
    leave("b");
    made.forget("a");
    expect(made.size).toBe(1);
    expect(made.nextEnd()).toBeNull();
    serve(1_800_000);
    expect(made.size).toBe(0);
  });
});
