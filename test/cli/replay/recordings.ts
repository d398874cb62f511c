// A small recording made from real tasks: a parent with a child that was steered, on the canned API.

import { SimulatedClock } from "../../../src/base/clock.ts";
import type { TranscriptRow } from "../../../src/core/message.ts";
import { toWire } from "../../../src/core/wire.ts";
import { collectRecording } from "../../../src/cli/replay/collect.ts";
import type { Recording } from "../../../src/cli/replay/recording.ts";
import { CannedApi } from "../../http/canned-api.ts";

export async function recorded() {
  const clock = new SimulatedClock();
  const api = new CannedApi({ clock });
  const parent = await api.delegate({ goal: "parent" });
  await clock.advance(1_000);
  api.start(parent.taskId);
  const child = await api.delegate({ goal: "child", parentId: parent.taskId });
  await clock.advance(1_000);
  api.start(child.taskId);
  await api.reportProgress(child.taskId, { percent: 40, note: "reading" });
  await clock.advance(1_000);
  api.finish(child.taskId, "the child's answer");
  await clock.advance(1_000);
  api.finish(parent.taskId, "the answer");
  const other = await api.delegate({ goal: "of another tree" });
  const collected = await collectRecording(api, { taskId: parent.taskId, whole: true, now: clock.now() });
  // The canned API numbers no commits: an answer belongs to the last one of its task.
  const seqOf = ({ taskId, message }: TranscriptRow): number =>
    message.role === "assistant"
      ? (collected.tasks.find((task) => task.taskId === taskId)?.lastEvent ?? 0)
      : 1;
  const transcripts = collected.transcripts.map((row) => ({ ...row, seq: seqOf(row) }));
  const recording: Recording = { ...collected, transcripts };
  return { api, clock, recording, parent: parent.taskId, child: child.taskId, other: other.taskId };
}

/** The text of a file. */
export function textOf(recording: Recording): string {
  return JSON.stringify(toWire(recording));
}
