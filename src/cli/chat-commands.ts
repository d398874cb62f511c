// What a person types in a chat: a message, or a command that begins with a slash. Nothing here waits for a model.

import { InvalidRequestError } from "../base/errors.ts";
import { didYouMean } from "../config/suggest.ts";
import type { TroupeApi } from "../core/api.ts";
import type { ChatOutput } from "./chat-output.ts";
import { findTask } from "./connection.ts";
import { counted, receiptText, taskTable, treeLines } from "./task-lines.ts";

export const CHAT_COMMANDS: readonly (readonly [string, string])[] = [
  ["/agents", "the tasks of this session, live, on a screen of their own; /tasks is the same"],
  ["/tree", "the same as a tree"],
  ["/steer ID message", "send a running task a message"],
  ["/answer ID text", "answer what a task asks; yes or no where its call wants to be allowed"],
  ["/cancel ID", "cancel a task and everything below it"],
  ["/stop", "stop what is being done, children too; the session stays"],
  ["/leave", "leave; the session and its children go on"],
  ["/quit", "close the session and cancel its children"],
  ["/help", "this list; begin with // to send a message that begins with a slash"],
];

/** What the chat does next: go on, leave the session as it is, or close it. */
export type Next = "go on" | "leave" | "quit";

export interface ChatContext {
  readonly api: TroupeApi;
  readonly sessionId: string;
  readonly output: ChatOutput;
  readonly now: () => number;
  /** Shows the session's tasks on the whole screen until the person comes back; `null` where there is none to take. */
  readonly overlay: (() => Promise<void>) | null;
  /** The one question of a task that the person was shown and that is open; `null` where there is no such one. */
  readonly askedBy: (taskId: string) => string | null;
  /** Called once the session has stopped. */
  readonly onStop: () => void;
}

interface Typed {
  readonly name: string;
  readonly rest: string;
}

/** The command of a line, or `null` for a message. */
export function commandOf(line: string): Typed | null {
  if (!line.startsWith("/") || line.startsWith("//")) return null;
  const [, name = "", rest = ""] = /^(\/\S*)\s*([\s\S]*)$/.exec(line) ?? [];
  return { name, rest: rest.trim() };
}

/** Contract: throws TroupeErrors for what was refused; the chat tells them and goes on. */
export async function takeLine(line: string, context: ChatContext): Promise<Next> {
  const { api, sessionId, output } = context;
  const command = commandOf(line);
  if (command !== null) return runChatCommand(command, context);
  const text = line.startsWith("//") ? line.slice(1) : line;
  if (text.trim() === "") return "go on";
  const receipt = await api.sendMessage(sessionId, { text });
  output.document({ kind: "message", ...receipt });
  return "go on";
}

async function runChatCommand({ name, rest }: Typed, context: ChatContext): Promise<Next> {
  const { api, sessionId, output } = context;
  switch (name) {
    case "/quit":
      return "quit";
    case "/leave":
      return "leave";
    case "/agents":
    case "/tasks":
      // Where no screen can be taken, or programs read along, they are a table.
      if (context.overlay === null) await showTasks(context);
      else await context.overlay();
      return "go on";
    case "/tree": {
      const items = await api.tree(sessionId);
      output.document({ kind: "tree", items });
      for (const line of treeLines(items)) output.row(line);
      return "go on";
    }
    case "/steer": {
      const [, id = "", message = ""] = /^(\S+)\s+([\s\S]+)$/.exec(rest) ?? [];
      if (message === "") throw chatUsage("/steer ID message");
      const receipt = await api.steer(await findTask(api, id), { message });
      output.document({ kind: "steer", ...receipt });
      output.notice(receiptText(receipt));
      return "go on";
    }
    case "/answer": {
      const [, id = "", text = ""] = /^(\S+)\s+([\s\S]+)$/.exec(rest) ?? [];
      if (text === "") throw chatUsage("/answer ID text");
      const taskId = await findTask(api, id);
      const asked = context.askedBy(taskId);
      const receipt = await api.answer(taskId, { text, ...(asked !== null && { asked }) });
      output.document({ kind: "answer_sent", ...receipt });
      output.notice(receiptText(receipt));
      return "go on";
    }
    case "/cancel": {
      if (!/^\S+$/.test(rest)) throw chatUsage("/cancel ID");
      const receipt = await api.cancel(await findTask(api, rest));
      output.document({ kind: "cancel", ...receipt });
      if (receipt.cancelled.length === 0) output.notice(`It had ended already (${receipt.state}).`);
      return "go on";
    }
    case "/stop": {
      const receipt = await api.stopSession(sessionId);
      context.onStop();
      output.document({ kind: "stop", ...receipt });
      output.notice(`Stopped; ${counted(receipt.cancelled.length, "task")} cancelled.`);
      return "go on";
    }
    case "/help":
      for (const [usage, meaning] of CHAT_COMMANDS) output.say(`${usage.padEnd(20)}${meaning}`);
      return "go on";
    default:
      throw unknownChatCommand(name);
  }
}

async function showTasks({ api, sessionId, output, now }: ChatContext): Promise<void> {
  const page = await api.list({ rootId: sessionId });
  const items = page.items.filter(({ taskId }) => taskId !== sessionId);
  output.document({ kind: "tasks", items });
  if (items.length === 0) output.notice("No tasks yet.");
  else for (const line of taskTable(items, now())) output.row(line);
}

function chatUsage(usage: string): InvalidRequestError {
  return new InvalidRequestError("usage", `Expected ${usage}`);
}

function unknownChatCommand(name: string): InvalidRequestError {
  const names = CHAT_COMMANDS.map(([usage]) => usage.split(" ")[0] as string);
  const near = didYouMean(name, names) || ` There are: ${names.join(" ")}.`;
  return new InvalidRequestError("usage", `There is no command ${name}.${near}`);
}
