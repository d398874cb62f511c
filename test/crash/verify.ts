// What must be true right after a restart, while work goes on: nothing that was acknowledged or shown is lost. Pure: each
// function sees what a server tells and what the client remembers, and says in words what does not fit.

import { isTerminal } from "../../src/core/lifecycle.ts";
import type { Remembered } from "./ledger.ts";
import type { Views } from "./look.ts";

export function lostAfterRestart(views: Views, ledger: Remembered): readonly string[] {
  return [...lostTasks(views, ledger), ...changedEnds(views, ledger), ...lostWords(views, ledger)];
}

/** I1: every acknowledged task exists, and no event that was shown is gone. */
function* lostTasks(views: Views, ledger: Remembered): Generator<string> {
  for (const { taskId, life } of ledger.tasks.values()) {
    if (!views.has(taskId)) yield `${taskId}, acknowledged in life ${life}, does not exist`;
  }
  for (const [taskId, seq] of ledger.shown) {
    const view = views.get(taskId);
    if (!view) yield `${taskId}, whose events were shown, does not exist`;
    else if (view.lastEvent < seq) yield `${taskId} had shown event ${seq}, and stands at ${view.lastEvent}`;
  }
}

/** I2: a terminal state is absorbing. */
function* changedEnds(views: Views, ledger: Remembered): Generator<string> {
  for (const [taskId, end] of ledger.ends) {
    const view = views.get(taskId);
    if (view && view.state !== end) yield `${taskId} was ${end}, and is ${view.state}`;
  }
  for (const taskId of ledger.results.keys()) {
    const view = views.get(taskId);
    if (view && !isTerminal(view.state)) yield `${taskId} gave its result, and is ${view.state}`;
  }
}

/** I6: every steer and message with a receipt is in the inbox of its task. */
function* lostWords(views: Views, ledger: Remembered): Generator<string> {
  for (const { taskId, steerId, kind, life } of ledger.words.values()) {
    const view = views.get(taskId);
    if (view && !view.steers.some((receipt) => receipt.steerId === steerId))
      yield `the ${kind} ${steerId} to ${taskId}, acknowledged in life ${life}, is lost`;
  }
}
