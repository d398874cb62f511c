// Who would answer a question of a task, as its family stands now. A parent's turns are bounded, and so is what one child
// may ask of them: its questions lie in the parent's mail and are counted there, over all restarts and runs.

import { MAX_QUESTIONS } from "../core/limits.ts";
import type { Respondent } from "../core/question.ts";
import type { TaskSpec } from "../core/task.ts";
import type { HostServices } from "./services.ts";

/** What is needed of the task that asks. */
export interface AskingHost {
  readonly id: string;
  readonly spec: Pick<TaskSpec, "kind" | "parentId">;
  readonly services: Pick<HostServices, "store" | "patience"> & {
    readonly kinship: Pick<HostServices["kinship"], "listens">;
  };
}

/** Rejects with what the store throws. */
export async function respondentOf({ id, spec, services }: AskingHost): Promise<Respondent> {
  const { kind, parentId } = spec;
  if (kind === "session") return "conversation";
  if (parentId === null) return "person";
  const { kinship, store, patience } = services;
  const mail = await patience.call("inbox", () => store.inbox(parentId, 0));
  const asked = mail.filter(({ message }) => message.kind === "question" && message.childId === id).length;
  // Last of all, so that it is as it stands.
  if (!kinship.listens(parentId)) return "ended";
  return asked < MAX_QUESTIONS ? "parent" : "spent";
}
