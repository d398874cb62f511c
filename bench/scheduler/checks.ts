// Whether a run did exactly its plan: every task ended once, what nothing cancelled is done with every turn, nothing
// is left at the contender or at the server. A run of which this is not true has no figures.

import type { Plan, PlannedTask } from "./plan.ts";
import type { Played } from "./play.ts";

/** Contract: pure; what is not as it must be, in words, empty for an exact run. A deadlock is the first of them. */
export function problemsOf(plan: Plan, played: Played): readonly string[] {
  const { history, finished, leaked, server } = played;
  const tasks = [...history.tasks.values()];
  if (!finished) {
    const open = tasks.filter((task) => task.ends === 0).length;
    return [`deadlock: ${open} of ${tasks.length} tasks can never end`];
  }
  const problems: string[] = [];
  const add = (wrong: boolean, text: string): void => {
    if (wrong) problems.push(text);
  };
  for (const task of tasks) {
    add(task.ends !== 1, `${task.taskId} ended ${task.ends} times`);
    add(
      task.outcome === "done" && task.turns !== task.planned,
      `${task.taskId} is done after ${task.turns} of ${task.planned} turns`,
    );
  }
  const known = new Map(tasks.map((task) => [task.taskId, task]));
  const expect = (id: string): void => {
    const outcome = known.get(id)?.outcome ?? "never spawned";
    add(outcome !== "done", `${id} was not cancelled, and is ${outcome}`);
  };
  const visit = (task: PlannedTask): void => {
    if (task.cancelAfterMs !== null) return;
    expect(task.id);
    for (const turn of task.turns) turn.children.forEach(visit);
  };
  for (const parent of plan.parents) parent.children.forEach(visit);
  for (const question of plan.questions) expect(question.id);
  const turns = tasks.reduce((sum, task) => sum + task.turns, 0);
  const completed = history.attempts.filter((attempt) => attempt.outcome === "ok").length;
  const failed = history.attempts.filter((attempt) => attempt.outcome === "error").length;
  const open = history.attempts.filter((attempt) => attempt.endedAt === null).length;
  add(completed < turns, `${completed} generations for ${turns} turns`);
  add(failed > 0, `${failed} generations failed`);
  add(open > 0, `${open} generations never ended`);
  add(leaked !== 0, `${leaked} leases or places are still held after the last task`);
  add((server.inFlight ?? 0) !== 0, `${server.inFlight} requests are left on the server`);
  return problems;
}

/** Whether the run ended in a deadlock: for a peer a finding, for Troupe a failure. */
export function isDeadlock(played: Played): boolean {
  return !played.finished;
}
