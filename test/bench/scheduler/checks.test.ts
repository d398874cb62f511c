// The checks of a run: an exact one has no problem, and each way of not being exact is noticed.

import { describe, expect, it } from "vitest";
import { problemsOf } from "../../../bench/scheduler/checks.ts";
import type { History, TaskRecord } from "../../../bench/scheduler/history.ts";
import { direct } from "../../../bench/scheduler/peers/simple.ts";
import type { Played } from "../../../bench/scheduler/play.ts";
import { small } from "./small-workload.ts";
import { runOnce } from "./stage.ts";

const run = await runOnce(small({ interactive: { per_minute: 10, for_s: 30 } }), direct);

/** The same run, told otherwise. */
function forged(change: (history: History, first: TaskRecord) => void, rest: Partial<Played> = {}): Played {
  const history = structuredClone(run.played.history);
  change(history as History, [...history.tasks.values()][0] as TaskRecord);
  return { ...run.played, history: history as History, ...rest };
}

const FORGED: readonly { readonly name: string; readonly played: Played; readonly says: RegExp }[] = [
  { name: "a task that ended twice", played: forged((_, task) => (task.ends = 2)), says: /ended 2 times/ },
  { name: "a task that never ended", played: forged((_, task) => (task.ends = 0)), says: /ended 0 times/ },
  {
    name: "a turn left out",
    played: forged((_, task) => (task.turns -= 1)),
    says: /is done after \d+ of \d+ turns/,
  },
  {
    name: "a cancel that nobody asked for",
    played: forged((_, task) => (task.outcome = "cancelled")),
    says: /was not cancelled, and is cancelled/,
  },
  {
    name: "a task that was lost",
    played: forged((history, task) => history.tasks.delete(task.taskId)),
    says: /never spawned/,
  },
  {
    name: "a turn that was never generated",
    played: forged((history) => history.attempts.pop()),
    says: /\d+ generations for \d+ turns/,
  },
  {
    name: "a generation that is still open",
    played: forged((history) => ((history.attempts[0] as { endedAt: number | null }).endedAt = null)),
    says: /1 generations never ended/,
  },
  {
    name: "a generation that failed",
    played: forged((history) => ((history.attempts[0] as { outcome: string }).outcome = "error")),
    says: /1 generations failed/,
  },
  {
    name: "a leaked lease",
    played: forged(() => {}, { leaked: 1 }),
    says: /1 leases or places are still held/,
  },
  {
    name: "a request left on the server",
    played: forged(() => {}, { server: { ...run.played.server, inFlight: 2 } }),
    says: /2 requests are left/,
  },
  { name: "a deadlock", played: forged(() => {}, { finished: false }), says: /^deadlock/ },
];

describe("problemsOf", () => {
  it("finds nothing in an exact run", () => {
    expect(run.problems).toEqual([]);
  });

  it.each(FORGED)("notices $name", ({ played, says }) => {
    expect(problemsOf(run.plan, played).join("\n")).toMatch(says);
  });
});
