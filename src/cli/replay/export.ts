// `troupe export`: one task, or a tree, as one file to look at again with `troupe replay`.
//
// E1. A file that is there already is never written over, and a new one is for its owner's eyes: it holds conversations.

import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ConfigError, messageOf } from "../../base/errors.ts";
import type { Command } from "../command.ts";
import { connect, findTask, shortId } from "../connection.ts";
import { usageError } from "../flags.ts";
import { jsonLine } from "../printable.ts";
import { counted } from "../task-lines.ts";
import { toWire } from "../../core/wire.ts";
import { collectRecording } from "./collect.ts";

export const exportTask: Command = async (invocation) => {
  const { words, flags, printer, world } = invocation;
  const [word] = words;
  const tree = flags.text("tree");
  const named = word ?? tree;
  if (named === undefined || (word !== undefined && tree !== undefined))
    throw usageError(
      "Expected a task, or --tree with the task whose whole tree is meant. Usage: troupe export ID -o FILE",
    );
  const api = await connect(invocation);
  const taskId = await findTask(api, named);
  const recording = await collectRecording(api, {
    taskId,
    whole: tree !== undefined,
    now: world.clock.now(),
  });
  const text = `${jsonLine(toWire(recording))}\n`;
  const file = flags.text("output");
  if (file === undefined) {
    world.terminal.writeOut(text);
    return "ok";
  }
  const path = resolve(world.cwd, file);
  await writeNew(path, text);
  const { tasks, events, transcripts } = recording;
  printer.document({
    taskId,
    file: path,
    tasks: tasks.length,
    events: events.length,
    messages: transcripts.length,
  });
  printer.note(
    `${shortId(taskId)}: ${counted(tasks.length, "task")}, ${counted(events.length, "event")} and ` +
      `${counted(transcripts.length, "message")} in ${path}`,
  );
  printer.note(`${printer.program} replay ${file} shows it again.`);
  return "ok";
};

/** Keeps E1. Contract: throws ConfigError `export_failed`. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx", mode: 0o600 });
  } catch (cause) {
    const there = (cause as NodeJS.ErrnoException).code === "EEXIST";
    const why = there ? "a file of that name is there already" : messageOf(cause);
    throw new ConfigError(
      "export_failed",
      `Expected to write a new file ${path}, got: ${why}. Name another one.`,
      {
        cause,
        details: { path },
      },
    );
  }
}
