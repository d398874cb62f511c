// `troupe chat`: a session as plain lines. What is typed is sent at once, whatever is being written or worked on.
//
// H1. Nothing typed waits for a model or a child.
// H2. A session that this chat leaves open is one that its person chose to leave open.

import { linkedAbort } from "../base/abort.ts";
import { delay } from "../base/clock.ts";
import { toTroupeError, type TroupeError } from "../base/errors.ts";
import { isTerminal } from "../core/lifecycle.ts";
import type { TaskView, TreeNode, TroupeApi } from "../core/api.ts";
import { AnswerLines } from "./answer-lines.ts";
import { ChatOutput } from "./chat-output.ts";
import { takeLine, type ChatContext, type Next } from "./chat-commands.ts";
import { ChatView } from "./chat-view.ts";
import type { Command, Invocation, Outcome } from "./command.ts";
import { connectTo, findTask, shortId } from "./connection.ts";
import type { Conversation } from "./conversation.ts";
import { counted } from "./task-lines.ts";

/** After the last line of a pipe: how often it is asked whether everything was answered. */
const LOOK_MS = 300;

interface Chat {
  readonly invocation: Invocation;
  readonly api: TroupeApi;
  readonly session: TaskView;
  readonly screen: Conversation;
  readonly output: ChatOutput;
  readonly view: ChatView;
  /** The server's address. */
  readonly where: string;
  /** What has the whole screen, or had it last. */
  overlay: Promise<void> | null;
}

/** Contract: `interrupted` after Ctrl-C, with the session closed; throws when the server is gone. */
export const chat: Command = async (invocation) => {
  const { world, printer } = invocation;
  const { api, baseUrl } = await connectTo(invocation);
  const session = await openSession(invocation, api);
  const screen = world.terminal.converse("> ");
  const output = new ChatOutput(screen, printer);
  const wide = screen.interactive && !printer.json;
  const lines = new AnswerLines(() => (wide ? world.terminal.columns() - 1 : Infinity));
  const view = new ChatView({ sessionId: session.taskId, output, lines });
  const opened: Chat = { invocation, api, session, screen, output, view, where: baseUrl, overlay: null };
  output.document({ kind: "session", sessionId: session.taskId, model: session.model.model });
  output.notice([["dim", `${session.taskId} on ${session.model.model}; /help lists the commands`]]);
  try {
    return await converse(opened);
  } finally {
    // The screen is one terminal: what covers it goes first.
    await opened.overlay?.catch(() => {});
    screen.close();
  }
};

async function openSession({ flags }: Invocation, api: TroupeApi): Promise<TaskView> {
  const known = flags.text("session");
  if (known !== undefined) return api.check(await findTask(api, known));
  const [agent, model] = [flags.text("agent"), flags.text("model")];
  return api.createSession({ ...(agent !== undefined && { agent }), ...(model !== undefined && { model }) });
}

async function converse(chat: Chat): Promise<Outcome> {
  const { world } = chat.invocation;
  const stop = linkedAbort(world.signal);
  // Whichever is over first ends the chat: the events, or what is typed.
  const watching = watch(chat, stop.signal).then(
    (): Next | TroupeError => "leave",
    (error: unknown) => toTroupeError(error),
  );
  const typing = type(chat, stop.signal).catch((error: unknown) => toTroupeError(error));
  const interrupted = new Promise<Next>((resolve) => {
    world.signal.addEventListener("abort", () => resolve("quit"), { once: true });
    if (world.signal.aborted) resolve("quit");
  });
  const next = await Promise.race([watching, typing, interrupted]);
  // The ends of the children that closing cancels are still to be shown.
  if (next === "quit") await close(chat);
  stop.abort("left");
  stop.release();
  if (next === "leave" && chat.view.ended === null) {
    const { program } = chat.invocation.printer;
    chat.output.notice(`The session goes on: ${program} chat --session ${shortId(chat.session.taskId)}`);
  }
  if (typeof next !== "string") throw next;
  return world.signal.aborted ? "interrupted" : "ok";
}

/** Shows what happens until the session ends. */
async function watch({ api, session, view, invocation }: Chat, signal: AbortSignal): Promise<void> {
  // A new session is read from its beginning, so that nothing falls between its making and the first event.
  const isNew = !invocation.flags.has("session");
  const query = { rootId: session.taskId, deltas: true, signal, ...(isNew && { after: 0 }) };
  for await (const frame of api.events(query)) {
    view.take(frame);
    if (view.ended !== null) return;
  }
}

/** Sends what is typed until there is no more (keeps H1). */
async function type(chat: Chat, signal: AbortSignal): Promise<Next> {
  const { api, session, screen, output, view, invocation } = chat;
  const { clock } = invocation.world;
  const context: ChatContext = {
    api,
    sessionId: session.taskId,
    output,
    now: () => clock.now(),
    overlay: overlayOf(chat, signal),
    askedBy: (taskId) => view.askedBy(taskId),
    onStop: () => view.stopped(),
  };
  for await (const line of screen.lines) {
    if (signal.aborted) return "leave";
    try {
      const next = await takeLine(line, context);
      if (next !== "go on") return next;
    } catch (thrown) {
      const error = toTroupeError(thrown);
      if (error.code === "server_unreachable") throw error;
      output.document({ kind: "error", code: error.code, message: error.message });
      output.notice([["red", error.message]]);
    }
  }
  if (!screen.interactive) await answered(chat, signal);
  return "quit";
}

/** The session's tasks on the whole screen, while the chat goes on; `null` where nobody looks at one. */
function overlayOf(chat: Chat, signal: AbortSignal): (() => Promise<void>) | null {
  const { api, session, screen, invocation, where } = chat;
  const streams = screen.interactive && !invocation.printer.json ? invocation.world.terminal.screen() : null;
  if (streams === null) return null;
  return async () => {
    const resume = screen.suspend();
    if (resume === null) return;
    const { screenOptions, showTop } = await import("./top/top.ts");
    const rootId = session.taskId;
    chat.overlay = showTop({ ...screenOptions(invocation, where), api, streams, rootId, signal });
    await chat.overlay.finally(resume);
  };
}

/** Waits until nothing is left to be done for the session, twice in a row, so that a child's end has been told. */
async function answered({ api, session, invocation }: Chat, signal: AbortSignal): Promise<void> {
  let quietSince = -1;
  for (;;) {
    const [view, nodes] = await Promise.all([api.check(session.taskId), api.tree(session.taskId)]);
    const isQuiet =
      isTerminal(view.state) ||
      (view.phase === "waiting_input" &&
        view.steers.every(({ state }) => state !== "queued") &&
        nodes.every((node) => node.children.every(hasEnded)));
    if (isQuiet && quietSince === view.lastEvent) return;
    quietSince = isQuiet ? view.lastEvent : -1;
    await delay(invocation.world.clock, LOOK_MS, signal);
  }
}

function hasEnded(node: TreeNode): boolean {
  return isTerminal(node.state) && node.children.every(hasEnded);
}

async function close({ api, session, output, view }: Chat): Promise<void> {
  if (view.ended !== null) return;
  const receipt = await api.closeSession(session.taskId);
  const children = receipt.cancelled.filter((taskId) => taskId !== session.taskId).length;
  output.document({ kind: "closed", sessionId: session.taskId, cancelled: receipt.cancelled });
  output.notice(`Closed${children === 0 ? "" : `; ${counted(children, "task")} cancelled`}.`);
}
