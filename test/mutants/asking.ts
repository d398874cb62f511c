// Breakages of questions: to parents, and to people who must allow a call.

import type { Mutant } from "./mutant.ts";

const KEEPER = "src/runtime/wait-keeper.ts";
const APPROVAL = "src/toolsets/approval.ts";

export const ASKING_MUTANTS: readonly Mutant[] = [
  {
    name: "question-never-mailed",
    invariant: "W3, I13",
    file: KEEPER,
    find: "if (asked.length === 0 || parentId === null) return;",
    replace: "return;",
    why: "A child waits for an answer to a question that its parent never got.",
  },
  {
    name: "question-wakes-nobody",
    invariant: "W4, I29",
    file: KEEPER,
    find: "else if (isAsked) this.#end",
    replace: "else if (false) this.#end",
    why: "A parent waits for the end of a child that waits for its answer.",
  },
  {
    name: "question-over-at-a-restart",
    invariant: "G4, I8",
    file: KEEPER,
    find: "const leftMs = row === undefined ? wait.timeoutMs : row.dueAt - clock.now();",
    replace: "const leftMs = row === undefined ? wait.timeoutMs : 0;",
    why: "A server that starts again denies by timeout whatever was asked before.",
  },
  {
    name: "question-keeps-its-place",
    invariant: "H2, I4",
    file: "src/runtime/task-host.ts",
    find: 'if (snapshot.hasTag("waiting") && this.spec.kind === "task") this.leases.park();',
    replace: 'if (phase === "waiting_children" && this.spec.kind === "task") this.leases.park();',
    why: "Who waits for a person keeps others from the GPU meanwhile.",
  },
  {
    name: "question-answered-by-time",
    invariant: "Q1, I14",
    file: "src/toolsets/ask.ts",
    find: 'if (end.cause === "satisfied") {',
    replace: 'if (end.cause === "satisfied" || end.cause === "timeout") {',
    why: "A child is told that a person has answered, with no words, when nobody has.",
  },
  {
    name: "answer-ends-the-next-question-too",
    invariant: "W2, W3, I6",
    file: KEEPER,
    find: "(each) => approval && each.approval && each.prompt === prompt",
    replace: "() => true",
    why: "One answer is taken for all questions that are open.",
  },
  {
    name: "denied-by-nobody-told-as-a-person",
    invariant: "A2, I14",
    file: APPROVAL,
    find: "`${name} was denied by timeout: nobody answered",
    replace: "`A person denied ${name}: nobody answered",
    why: "A model is told that a person has refused what nobody has looked at.",
  },
  {
    name: "allowed-by-any-word",
    invariant: "A1, I14",
    file: APPROVAL,
    find: "  if (allowed) return;",
    replace: "  if (allowed || reason !== null) return;",
    why: "A call acts because somebody said something, and not yes.",
  },
];
