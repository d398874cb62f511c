// `troupe tasks …`: look at tasks and act on them, one call each.

import { STATES, type State } from "../core/lifecycle.ts";
import type { ListQuery, TaskApi, TaskView } from "../core/api.ts";
import { didYouMean } from "../config/suggest.ts";
import type { Command, Invocation } from "./command.ts";
import { connect, findTask, shortId } from "./connection.ts";
import { usageError } from "./flags.ts";
import { showResult } from "./result.ts";
import { questionIn } from "./top/needs.ts";
import { counted, receiptText, taskDetails, taskTable } from "./task-lines.ts";

const DEFAULT_LIMIT = 50;
const PAGE = 200;
/** More are not looked through: a list that long is for programs, which read the pages themselves. */
const MOST_LISTED = 5_000;

/** The state that `--state` names. Contract: throws the usage error for another word. */
function stateOf({ flags }: Invocation): State | undefined {
  const word = flags.text("state");
  const state = STATES.find((each) => each === word);
  if (word === undefined || state !== undefined) return state;
  throw usageError(
    `There is no state ${JSON.stringify(word)}.${didYouMean(word, STATES)} Known: ${STATES.join(", ")}.`,
  );
}

export const listTasks: Command = async (invocation) => {
  const { flags, printer, world } = invocation;
  const limit = flags.integer("limit", { least: 1, most: MOST_LISTED }) ?? DEFAULT_LIMIT;
  const state = stateOf(invocation);
  const api = await connect(invocation);
  const parent = flags.text("parent");
  const query: ListQuery = {
    ...(state !== undefined && { state }),
    ...(parent !== undefined && { parentId: await findTask(api, parent) }),
  };
  const { tasks, more } = await allTasks(api, query);
  const newest = tasks.slice(-limit);
  const leftOut = tasks.length - newest.length;
  printer.document({ items: newest, leftOut, more });
  if (newest.length > 0) for (const line of taskTable(newest, world.clock.now())) printer.row(line);
  else printer.note("No tasks.");
  if (leftOut > 0) printer.note(`${leftOut} older ones are left out; --limit shows more.`);
  if (more) printer.note(`Only the first ${MOST_LISTED} were looked at.`);
  return "ok";
};

async function allTasks(
  api: TaskApi,
  query: ListQuery,
): Promise<{ readonly tasks: readonly TaskView[]; readonly more: boolean }> {
  const tasks: TaskView[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<TaskApi["list"]>> = await api.list({
      ...query,
      limit: PAGE,
      ...(cursor !== null && { cursor }),
    });
    tasks.push(...page.items);
    // What answers may be no Troupe: a page of nothing ends the list, whatever it says of a next one.
    cursor = page.items.length === 0 ? null : (page.nextCursor ?? null);
  } while (cursor !== null && tasks.length < MOST_LISTED);
  return { tasks, more: cursor !== null };
}

export const getTask: Command = async (invocation) => {
  const { words, printer, world } = invocation;
  const api = await connect(invocation);
  const task = await api.check(await findTask(api, words[0] as string));
  printer.document(task);
  for (const line of taskDetails(task, world.clock.now())) printer.data(line);
  return "ok";
};

export const steerTask: Command = async (invocation) => {
  const { words, flags, printer } = invocation;
  const api = await connect(invocation);
  const [word, message] = words as readonly [string, string];
  const receipt = await api.steer(await findTask(api, word), { message, interrupt: flags.has("interrupt") });
  printer.document(receipt);
  printer.data(receiptText(receipt));
  return "ok";
};

export const answerTask: Command = async (invocation) => {
  const { words, printer } = invocation;
  const api = await connect(invocation);
  const [word, text] = words as readonly [string, string];
  const taskId = await findTask(api, word);
  const asked = questionIn((await api.check(taskId)).waitsFor);
  // Who answers by a command sees what it is for, and reaches nothing that is asked a moment later.
  if (asked !== null) for (const line of asked.split("\n")) printer.note([["yellow", `? ${line}`]]);
  const receipt = await api.answer(taskId, { text, ...(asked !== null && { asked }) });
  printer.document(receipt);
  printer.data(receiptText(receipt));
  return "ok";
};

export const collectTask: Command = async (invocation) => {
  const { words, flags, printer, world } = invocation;
  const waitS = flags.number("wait-s");
  const api = await connect(invocation);
  const taskId = await findTask(api, words[0] as string);
  const timeoutMs = waitS === undefined ? {} : { timeoutMs: waitS * 1000 };
  return showResult(printer, await api.collect(taskId, { signal: world.signal, ...timeoutMs }));
};

export const cancelTask: Command = async (invocation) => {
  const { words, flags, printer } = invocation;
  const api = await connect(invocation);
  const taskId = await findTask(api, words[0] as string);
  const reason = flags.text("reason");
  const receipt = await api.cancel(taskId, {
    force: flags.has("force"),
    ...(reason !== undefined && { reason }),
  });
  printer.document(receipt);
  for (const cancelled of receipt.cancelled) printer.data(cancelled);
  const count = receipt.cancelled.length;
  printer.note(
    count === 0
      ? `${shortId(taskId)} had ended already (${receipt.state}).`
      : `${counted(count, "task")} being cancelled.`,
  );
  return "ok";
};
