// Brings a host to each state in which a task can rest, by the way a task takes through its life.

import { failed, Host, mail, suspendedOn, type HostOptions } from "./host.ts";
import type { TaskKind } from "../../src/core/task.ts";

/** The states in which a task can rest, as the tests name them; two of them have two reasons to wait. */
export const STAGES = [
  "spawned.queued",
  "spawned.starting",
  "spawned.backing_off",
  "running.waiting_slot",
  "running.generating",
  "running.calling_tools",
  "running.waiting_children for a call",
  "running.waiting_children after its answer",
  "running.waiting_input for an answer",
  "running.waiting_input for a message",
  "running.backing_off",
  "steering",
  "done",
  "cancelled",
  "failed",
] as const;
export type Stage = (typeof STAGES)[number];

/** Only a session listens, and only a task has an end of its own to wait with. */
export function stagesOf(kind: TaskKind): readonly Stage[] {
  const never =
    kind === "task" ? "running.waiting_input for a message" : "running.waiting_children after its answer";
  return STAGES.filter((stage) => stage !== never);
}

/** The state of a stage: its first word. */
export function stateOf(stage: Stage): string {
  return stage.split(" ")[0] ?? stage;
}

/** A host whose actor rests in that stage. A session's turn answers message 1, which was taken. */
export async function hostAt(stage: Stage, options: HostOptions = {}): Promise<Host> {
  const host = new Host(options).start();
  if (stage === "spawned.queued") return host;
  if (stage === "cancelled") return host.send({ type: "cancel", reason: "no longer needed" });
  host.send({ type: "admitted" });
  if (stage === "spawned.starting") return host;
  if (stage === "failed") return host.break("prepare", new Error("no workspace"));
  if (stage === "spawned.backing_off") return host.end("prepare", failed({ transient: true }));
  await host.end("prepare", { outcome: "ready" });
  if (stage === "running.waiting_input for a message") return host;
  if (host.context.kind === "session") host.send(mail(1, { person: true }));
  if (stage === "running.waiting_slot") return host;
  if (stage === "steering") return host.send(mail(1), { type: "lease.granted" });
  host.send({ type: "lease.granted" });
  if (host.context.kind === "session") {
    host.send({ type: "mail.taken", position: 1 });
    await host.end("foldMail", { outcome: "folded" });
  }
  return afterGeneration(stage, host);
}

async function afterGeneration(stage: Stage, host: Host): Promise<Host> {
  if (stage === "running.generating") return host;
  if (stage === "running.backing_off") return host.end("generate", failed({ transient: true }));
  if (stage === "running.waiting_children after its answer") host.send({ type: "children.changed", live: 1 });
  if (stage === "done" && host.context.kind === "session") return host.send({ type: "close" });
  if (stage === "done" || stage === "running.waiting_children after its answer") {
    return host.end("generate", { outcome: "answered" });
  }
  await host.end("generate", { outcome: "called_tools" });
  if (stage === "running.calling_tools") return host;
  const wait = stage === "running.waiting_children for a call" ? "children" : "input";
  return host.end("callTools", { outcome: "called", waits: [suspendedOn("a", wait)] });
}
