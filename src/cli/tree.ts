// `troupe tree`: who delegated what to whom. With `--watch` it is shown again when something happens, at most a few
// times a second: on a terminal in place, elsewhere one after the other.

import { delay } from "../base/clock.ts";
import { linkedAbort } from "../base/abort.ts";
import { toTroupeError } from "../base/errors.ts";
import type { TaskApi, TreeNode } from "../core/api.ts";
import { ChangeBell } from "./change-bell.ts";
import type { Command, Invocation } from "./command.ts";
import { connect, findTask } from "./connection.ts";
import { jsonLine } from "./printable.ts";
import { treeLines } from "./task-lines.ts";

const REST_MS = 250;
/** Nothing is told of a place in a queue that moved, so it is looked at now and then. */
const LOOK_AGAIN_MS = 2_000;
const HOME_AND_CLEAR = "\u001b[H\u001b[J";
const CLEAR_SCREEN = "\u001b[2J";

export const tree: Command = async (invocation) => {
  const { words, flags } = invocation;
  const api = await connect(invocation);
  const rootId = words[0] === undefined ? undefined : await findTask(api, words[0]);
  if (!flags.has("watch")) {
    show(invocation, await api.tree(rootId), false);
    return "ok";
  }
  await watch(invocation, api, rootId);
  return "interrupted";
};

async function watch(invocation: Invocation, api: TaskApi, rootId: string | undefined): Promise<void> {
  const { clock, signal, terminal } = invocation.world;
  const inPlace = terminal.outIsTerminal && !invocation.printer.json;
  if (inPlace) terminal.writeOut(CLEAR_SCREEN);
  const bell = new ChangeBell();
  const link = linkedAbort(signal);
  // Its failure is kept, not thrown, until somebody waits for it.
  const listening = listen(api, { rootId, signal: link.signal, bell }).then(() => null, toTroupeError);
  try {
    let shown = "";
    while (!signal.aborted && !bell.closed) {
      bell.quiet();
      const nodes = await api.tree(rootId);
      const state = jsonLine(nodes);
      if (state !== shown) show(invocation, nodes, inPlace);
      shown = state;
      const again = linkedAbort(link.signal);
      await Promise.race([bell.wait(), delay(clock, LOOK_AGAIN_MS, again.signal).catch(() => {})]);
      again.abort("rung");
      again.release();
      await delay(clock, REST_MS, link.signal).catch(() => {});
    }
  } finally {
    link.abort("left");
    link.release();
  }
  const failure = await listening;
  if (failure !== null) throw failure;
}

interface Listening {
  readonly rootId: string | undefined;
  readonly signal: AbortSignal;
  readonly bell: ChangeBell;
}

/** Rings at every event; closes the bell when the server says no more. Contract: throws when the server is gone. */
async function listen(api: TaskApi, { rootId, signal, bell }: Listening): Promise<void> {
  try {
    for await (const _ of api.events({ signal, ...(rootId !== undefined && { rootId }) })) bell.ring();
  } finally {
    bell.close();
  }
}

function show({ printer, world }: Invocation, nodes: readonly TreeNode[], inPlace: boolean): void {
  const { terminal } = world;
  printer.document({ items: nodes });
  const lines = treeLines(nodes);
  if (!inPlace) {
    for (const line of lines) printer.row(line);
    if (lines.length === 0) printer.note("No tasks.");
    return;
  }
  // What does not fit would scroll and stay; the oldest lines are the least wanted.
  const fitting = lines.slice(-Math.max(1, terminal.rows() - 2));
  terminal.writeOut(HOME_AND_CLEAR);
  for (const line of fitting) printer.row(line);
  printer.data([["dim", `${lines.length === 0 ? "No tasks yet. " : ""}Ctrl-C leaves.`]]);
}
