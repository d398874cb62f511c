// Random lives of the agent machine: after every move M1 to M5 hold, a snapshot goes through JSON and a restored
// actor does as the original, races have one winner, and a life that meets no more trouble comes to its end.

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi, type MockInstance } from "vitest";
import { settle } from "../../src/base/clock.ts";
import type { AgentSnapshot } from "../../machines/agent.ts";
import type { TaskKind } from "../../src/core/task.ts";
import { ENDS, move, STEPS, TROUBLES, type MoveName } from "./agent-moves.ts";
import { CANCEL, Host, mail, pathOf, TIMEOUT, type HostOptions } from "./host.ts";
import { hostAt } from "./stages.ts";

const LIMITS = { maxTurns: 3, generationTries: 2, retryLimit: 1 };
const RUNS = 120;

const named = <T extends object>(moves: T): fc.Arbitrary<MoveName> =>
  fc.constantFrom(...(Object.keys(moves) as MoveName[]));
const lives = fc.record({
  kind: fc.constantFrom<TaskKind>("task", "session"),
  moves: fc.array(
    fc.oneof(
      { weight: 30, arbitrary: fc.constant<MoveName>("go on") },
      { weight: 40, arbitrary: named(STEPS) },
      { weight: 30, arbitrary: named(TROUBLES) },
      { weight: 1, arbitrary: named(ENDS) },
    ),
    { minLength: 5, maxLength: 60, size: "max" },
  ),
});

// XState's development build warns of every event after the end; here they are the point.
let warn: MockInstance;
beforeAll(() => {
  warn = vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterAll(() => warn.mockRestore());

const LEASED = ["running.generating", "steering"];
const PASSED = ["running.beginning", "running.next_turn", "running.answering"];

/** Everything that must hold wherever a life has come to; the names of what does not. */
function broken(host: Host): readonly string[] {
  const { context, snapshot, at } = host;
  const pending = context.waits.some((each) => each.end === null);
  const parked = at === "running.waiting_children" || at === "running.waiting_input";
  const claims = {
    "the actor is in no error": snapshot.status !== "error" && host.errors.length === 0,
    "M1 a final state has an output of its own name":
      snapshot.output?.state === (isOver(host) ? at : undefined),
    "M1 there was one end": host.snapshots.filter((each) => each.status !== "active").length <= 1,
    "M3 a lease is held where the model writes or mail is folded":
      snapshot.hasTag("holds_lease") === LEASED.includes(at),
    "M3 a lease is asked for when a turn may begin":
      at !== "running.waiting_slot" || context.turnOpen || context.turnsUsed < context.maxTurns,
    "M4 what was taken was seen": context.mailTaken <= context.mailSeen,
    "M4 a task is done when all mail is read, or no turn is left to read it in":
      at !== "done" ||
      context.kind === "session" ||
      context.mailSeen === context.mailTaken ||
      context.turnsUsed >= context.maxTurns,
    "M4 no person waits for a child":
      at !== "running.waiting_children" || !pending || context.mailUrgent <= context.mailTaken,
    "M5 one effect at most is in flight": host.inFlight === undefined || !isOver(host),
    "nobody rests on the way": !PASSED.includes(at),
    "a wait is kept by who waits or goes on":
      context.waits.length === 0 || parked || at === "running.calling_tools" || isOver(host),
    "who waits for calls has one open": !parked || context.waits.length === 0 || pending,
    "turns, tries and runs stay in their limits":
      context.turnsUsed <= context.maxTurns &&
      context.tries < context.generationTries &&
      context.run <= (context.kind === "task" ? context.retryLimit + 1 : 1),
  };
  return Object.entries(claims).flatMap(([claim, holds]) =>
    holds ? [] : `${claim}: ${at} ${JSON.stringify(context)}`,
  );
}

/** Everything that must hold of one move. */
function wrongSince(before: AgentSnapshot, name: MoveName, host: Host): readonly string[] {
  const { snapshot, context, at } = host;
  const wasOver = before.status !== "active";
  const claims = {
    "M1 nothing changes after the end": !wasOver || snapshot === before,
    "M2 a cancel wins": wasOver || name !== "cancel" || at === "cancelled",
    "M5 a late outcome changes nothing": !name.startsWith("late") || snapshot === before,
    "M4 positions never go back":
      context.mailSeen >= before.context.mailSeen && context.mailTaken >= before.context.mailTaken,
    "M3 a lease begins where one was waited for":
      !snapshot.hasTag("holds_lease") ||
      before.hasTag("holds_lease") ||
      pathOf(before.value) === "running.waiting_slot",
    "a session is done by its closing only":
      at !== "done" || wasOver || context.kind === "task" || name === "close",
  };
  return Object.entries(claims).flatMap(([claim, holds]) => (holds ? [] : `${claim}: ${name} led to ${at}`));
}

const isOver = (host: Host): boolean => host.snapshot.status !== "active";

const live = (options: HostOptions): Host => new Host({ ...LIMITS, ...options }).start();

describe("in every life", () => {
  it("M1 to M5 hold after every move", async () => {
    await fc.assert(
      fc.asyncProperty(lives, async ({ kind, moves }) => {
        const host = live({ kind });
        for (const name of moves) {
          const before = host.snapshot;
          move(host, name);
          await settle();
          expect([...broken(host), ...wrongSince(before, name, host)]).toEqual([]);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("a snapshot is small, goes through JSON, and what is restored from it makes the same next move", async () => {
    await fc.assert(
      fc.asyncProperty(lives, named({ ...STEPS, ...TROUBLES, ...ENDS }), async ({ kind, moves }, next) => {
        const host = live({ kind });
        for (const name of moves) {
          move(host, name);
          await settle();
        }
        const stored = JSON.stringify(host.actor.getPersistedSnapshot());
        expect(stored.length).toBeLessThan(2_048);
        const twin = new Host({ snapshot: JSON.parse(stored) }).start();
        expect(twin.inFlight?.name).toBe(host.inFlight?.name);
        expect(twin.inFlight?.input).toEqual(host.inFlight?.input);
        for (const each of [host, twin]) move(each, next);
        await settle();
        expect([twin.at, twin.context, twin.output]).toEqual([host.at, host.context, host.output]);
        expect(JSON.stringify(twin.actor.getPersistedSnapshot())).toBe(
          JSON.stringify(host.actor.getPersistedSnapshot()),
        );
      }),
      { numRuns: RUNS },
    );
  });

  it("M4 once trouble stops, a task ends and a session has read everything", async () => {
    await fc.assert(
      fc.asyncProperty(lives, async ({ kind, moves }) => {
        const host = live({ kind });
        for (const name of moves) {
          move(host, name);
          await settle();
        }
        if (kind === "session" && !isOver(host)) move(host, "mail of a person");
        await goOn(host);
        const { mailSeen, mailTaken } = host.context;
        const listens = kind === "session" && host.at === "running.waiting_input" && mailTaken === mailSeen;
        expect(isOver(host) || listens ? "at rest" : host.at).toBe("at rest");
      }),
      { numRuns: RUNS },
    );
  });
});

/** A world in which everything succeeds, for as long as anything moves. */
async function goOn(host: Host): Promise<void> {
  for (let pass = 0; pass < 60 && !isOver(host); pass += 1) {
    for (const name of ["go on", "end wait a", "end wait b", "end wait c"] as const) {
      move(host, name);
      await settle();
    }
    if (host.at === "running.waiting_children") move(host, "no child");
  }
}

describe("a race", () => {
  const racers = {
    steer: mail(2, { interrupt: true, person: true }),
    cancel: CANCEL,
    limit: TIMEOUT,
    close: { type: "close" },
    preempt: { type: "preempted" },
    stop: { type: "stop" },
  } as const;
  type Racer = keyof typeof racers | "answer" | "defect";
  const ENDED: Partial<Record<Racer, string>> = {
    cancel: "cancelled",
    limit: "failed",
    close: "done",
    defect: "failed",
  };

  it("M1, M2 of steer, cancel, done, limit, close and defect has exactly one winner and one end", async () => {
    const order = fc.shuffledSubarray<Racer>([...(Object.keys(racers) as Racer[]), "answer", "defect"], {
      minLength: 2,
    });
    const stage = fc.constantFrom(
      "running.generating",
      "steering",
      "running.calling_tools",
      "spawned.starting" as const,
    );
    await fc.assert(
      fc.asyncProperty(
        order,
        stage,
        fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }),
        async (racing, from, pauses) => {
          const host = await hostAt(from, { kind: "session" });
          let winner: Racer | null = null;
          for (const [index, racer] of racing.entries()) {
            const wasOver = isOver(host);
            if (racer === "defect") host.inFlight?.reject(new Error("a defect"));
            else if (racer === "answer") move(host, "go on");
            else host.send(racers[racer]);
            if (!wasOver && isOver(host)) winner = racer;
            for (let pause = pauses[index] ?? 0; pause > 0; pause -= 1) await Promise.resolve();
            if (winner === null && isOver(host)) winner = "defect";
          }
          await settle();
          if (winner === null && isOver(host)) winner = "defect";
          expect(broken(host)).toEqual([]);
          expect(isOver(host) ? host.at : undefined).toBe(winner === null ? undefined : ENDED[winner]);
        },
      ),
      { numRuns: RUNS * 2 },
    );
  });
});
