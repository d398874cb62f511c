// A task that the server dies of each time is found out, and does not take those beside it with it.

import { describe, expect, test } from "vitest";
import { hang, say, wait } from "../../providers/script.ts";
import { Suspects } from "../../src/runtime/suspects.ts";
import { goalIn, ROOMY } from "./conversation.ts";
import { RestartingBox } from "./restarting.ts";

/** Who has been told to go on, in order. */
function stage() {
  const suspects = new Suspects();
  const told: string[] = [];
  const asks = (taskId: string, deaths = 3): void =>
    void suspects.turn(taskId, deaths).then(() => told.push(taskId));
  return { suspects, told, asks, settle: () => new Promise<void>((resolve) => setImmediate(resolve)) };
}

describe("suspects", () => {
  test("S1 go on one after the other, and others at once", async () => {
    const { suspects, told, asks, settle } = stage();
    for (const id of ["a", "b", "c"]) asks(id);
    asks("quiet", 2);
    await settle();
    expect(told).toEqual(["a", "quiet"]);
    suspects.passed("quiet");
    suspects.passed("a");
    await settle();
    expect(told).toEqual(["a", "quiet", "b"]);
    suspects.passed("a");
    await settle();
    expect(told).toEqual(["a", "quiet", "b"]);
  });

  test("S1 one that lets go while it waits keeps nobody, and is kept by nobody", async () => {
    const { suspects, told, asks, settle } = stage();
    for (const id of ["a", "b", "c"]) asks(id);
    suspects.passed("b");
    await settle();
    expect(told).toEqual(["a", "b"]);
    suspects.passed("a");
    await settle();
    expect(told).toEqual(["a", "b", "c"]);
  });
});

describe("a task that the server dies of", () => {
  /** Starts the box again until it lives; returns how often. */
  async function untilItLives(box: RestartingBox, isDead: () => boolean): Promise<number> {
    for (let deaths = 0; ; deaths += 1) {
      await box.clock.advance(60_000);
      if (!isDead()) return deaths;
      await box.start();
    }
  }

  test("S1 ends as crash_loop, and those at work beside it go on", async () => {
    let isDead = false;
    const box = new RestartingBox({
      reply: (request) => {
        if (goalIn(request) !== "poison") return [wait(1_000), say("gold")];
        box.clock.after(500, () => {
          isDead = true;
          box.die();
        });
        return [hang()];
      },
    });
    const goals = ["a", "poison", "b", "c"];
    const tasks = await Promise.all(goals.map((goal) => box.api.delegate({ goal })));
    const restarting = untilItLives(box, () => {
      const wasDead = isDead;
      isDead = false;
      return wasDead;
    });
    expect(await restarting).toBe(6);
    const ends = await Promise.all(tasks.map(async ({ taskId }) => (await box.record(taskId)).end));
    expect(ends.map((end) => end?.failure?.code ?? end?.result)).toEqual([
      "gold",
      "crash_loop",
      "gold",
      "gold",
    ]);
  });

  test("S1 cancelling the one that is looked at, or one that waits, lets the others go on", async () => {
    let deaths = 0;
    const box = new RestartingBox({
      reply: (request) =>
        deaths < 3 || ["a", "b"].includes(goalIn(request)) ? [hang()] : [wait(1_000), say("gold")],
    });
    const tasks = await Promise.all(["a", "b", "c"].map((goal) => box.api.delegate({ goal })));
    for (; deaths < 3; deaths += 1) {
      await box.clock.advance(100);
      await box.restart();
    }
    await box.clock.advance(10_000);
    const [a = "", b = "", c = ""] = tasks.map(({ taskId }) => taskId);
    expect((await box.record(c)).end).toBeNull();
    await box.api.cancel(b);
    await box.clock.advance(10_000);
    expect((await box.record(c)).end).toBeNull();
    await box.api.cancel(a);
    await box.clock.advance(10_000);
    expect((await box.record(c)).end?.result).toBe("gold");
  });

  test("S1 one that is called off before it was admitted holds up nobody, though it ends slowly", async () => {
    let deaths = 0;
    const box = new RestartingBox({
      reply: (request) => (deaths < 3 || goalIn(request) !== "c" ? [hang()] : [wait(1_000), say("gold")]),
      settings: { worktreeFolder: "/data/worktrees" },
      worktrees: {
        make: async () => {},
        leave: () => new Promise((resolve) => void box.clock.after(2_000, () => resolve(null))),
      },
    });
    const [a = "", b = "", c = ""] = await inOrder(["a", "b", "c"], async (goal) => {
      const { taskId } = await box.api.delegate({ goal, ...(goal === "b" && { isolation: "worktree" }) });
      return taskId;
    });
    for (; deaths < 3; deaths += 1) {
      await box.clock.advance(100);
      const backends = ROOMY.map((each) => ({ ...each, maxChildren: deaths === 2 ? 1 : each.maxChildren }));
      await box.restart({ settings: { backends, worktreeFolder: "/data/worktrees" } });
    }
    await box.api.cancel(b);
    await box.clock.advance(100);
    await box.api.cancel(a);
    await box.clock.advance(10_000);
    expect((await box.record(b)).state).toBe("cancelled");
    expect((await box.record(c)).end?.result).toBe("gold");
  });
});

async function inOrder<T>(
  items: readonly string[],
  work: (item: string) => Promise<T>,
): Promise<readonly T[]> {
  const made: T[] = [];
  for (const item of items) made.push(await work(item));
  return made;
}
