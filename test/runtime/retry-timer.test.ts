import { describe, expect, test } from "vitest";
import type { AgentEvent } from "../../machines/agent.ts";
import { Journal } from "../../src/runtime/journal.ts";
import { RetryTimer } from "../../src/runtime/retry-timer.ts";
import { TurnState } from "../../src/runtime/turn-state.ts";
import { desk } from "./specimens.ts";

async function make() {
  const { clock, store, patience, claim } = await desk();
  const journal = new Journal({ store, patience, claim, onBroken: () => {} });
  const turn = new TurnState(claim.record);
  turn.lastFailure = { code: "busy", message: "Busy.", retryable: true };
  const sent: AgentEvent[] = [];
  const forgotten: string[] = [];
  const outages = { forget: (id: string) => void forgotten.push(id) };
  const retry = new RetryTimer({
    id: "task_1",
    services: { clock, residency: { outages } },
    journal,
    turn,
    send: (event) => void sent.push(event),
  });
  return { clock, store, journal, turn, sent, retry, forgotten };
}

describe("RetryTimer", () => {
  test("records the failed try and a durable timer, and wakes the machine when the pause is over", async () => {
    const { clock, store, journal, sent, retry } = await make();
    retry.arm({ tries: 2, turnOpen: true, backoffMs: 1_000.4 });
    await journal.flush();
    expect(await store.timers("task_1")).toEqual([{ name: "retry", dueAt: clock.now() + 1_000 }]);
    const [, event] = await store.events({ after: 0 });
    expect(event).toMatchObject({
      type: "generation.retried",
      data: { code: "busy", message: "Busy.", attempt: 2, retryInMs: 1_000 },
    });
    await clock.advance(999);
    expect(sent).toEqual([]);
    await clock.advance(1);
    await journal.flush();
    expect([sent, await store.timers("task_1")]).toEqual([[{ type: "retry.due" }], []]);
  });

  test.each([
    ["a turn that is held before its first try", { tries: 0, turnOpen: true }],
    ["a try of the preparation, which is of no turn", { tries: 1, turnOpen: false }],
  ])("%s is no run that failed", async (_, context) => {
    const { store, journal, retry } = await make();
    retry.arm({ ...context, backoffMs: 5 });
    await journal.flush();
    const [, event] = await store.events({ after: 0 });
    expect(event).toMatchObject({ type: "generation.retried", data: { attempt: context.tries } });
  });

  test("a run that failed is another event than a try", async () => {
    const { store, journal, turn, retry } = await make();
    turn.lastFailure = null;
    retry.arm({ tries: 0, turnOpen: false, backoffMs: 5 });
    await journal.flush();
    expect((await store.events({ after: 0 }))[1]).toMatchObject({
      type: "run.failed",
      data: { code: "unknown" },
    });
  });

  test("cancelled, it wakes nobody, and no server has to", async () => {
    const { clock, sent, retry, forgotten } = await make();
    retry.arm({ tries: 1, turnOpen: true, backoffMs: 5 });
    expect(forgotten).toEqual([]);
    retry.cancel();
    await clock.advance(100);
    expect([sent, clock.pending, forgotten]).toEqual([[], 0, ["task_1"]]);
  });
});
