// Breakages of the work itself: tools and their intents, tries, pauses, and the tree's budget.

import type { Mutant } from "./mutant.ts";

const LEDGER = "src/runtime/ledger.ts";

export const WORK_MUTANTS: readonly Mutant[] = [
  {
    name: "tools-act-before-their-intent",
    invariant: "I21",
    file: "src/runtime/call-tools-effect.ts",
    find: "  await journal.flush();\n  // Called off",
    replace: "  void journal.flush().catch(() => {});\n  // Called off",
    why: "After a crash nobody knows that a tool may have acted.",
  },
  {
    name: "tools-told-ends-not-noted",
    invariant: "I13",
    file: "src/runtime/call-tools-effect.ts",
    find: "  mailbox.know(ran.delivered);",
    replace: "",
    why: "A result that a tool has told is announced again as a completion.",
  },
  {
    name: "tools-lose-a-call",
    invariant: "C1",
    file: "src/runtime/call-tools-effect.ts",
    find: "  turn.openCalls = turn.openCalls.filter((call) => waiting.has(call.id));",
    replace: "  turn.openCalls = [];",
    why: "A call whose wait ends finds nothing to go on with, and the model reads an open call.",
  },
  {
    name: "generation-hint-ignored",
    invariant: "I19",
    file: "src/runtime/generation.ts",
    find: "const spreadMs = Math.max(retryInMs, spread(thrown.retryAfterMs ?? 0, jitter));",
    replace: "const spreadMs = pause;",
    why: "A server that asked for a pause is asked again before it is over.",
  },
  {
    name: "generation-busy-is-final",
    invariant: "I25",
    file: "src/runtime/generation.ts",
    find: "const transient = retryable && !NEVER_TRIED_AGAIN.has(thrown.code);",
    replace: "const transient = false;",
    why: "A server that is busy for a moment costs a run.",
  },
  {
    name: "retry-never-due",
    invariant: "I15",
    file: "src/runtime/retry-timer.ts",
    find: '      this.#host.send({ type: "retry.due" });',
    replace: "",
    why: "A task that pauses before another try pauses for ever.",
  },
  {
    name: "ledger-keeps-reservations",
    invariant: "L2, I17",
    file: LEDGER,
    find: "          ledger.#hold(grant, -1);",
    replace: "",
    why: "What was reserved and not used is lost: a tree stands still before its budget is spent.",
  },
  {
    name: "ledger-reserves-nothing",
    invariant: "L1, I17",
    file: LEDGER,
    find: "    for (const [ledger, grant] of grants) ledger.#hold(grant, 1);",
    replace: "",
    why: "Generations side by side each take the rest of the budget.",
  },
  {
    name: "ledger-books-nothing",
    invariant: "I17",
    file: LEDGER,
    find: "    this.#used = addUsage(this.#used, used);",
    replace: "",
    why: "A tree never comes to the end of its budget.",
  },
  {
    name: "ledger-one-call-too-many",
    invariant: "I17",
    file: LEDGER,
    find: "used.toolCalls >= budget.toolCalls)",
    replace: "used.toolCalls > budget.toolCalls)",
    why: "One tool call more than the budget allows.",
  },
  {
    name: "ledger-anew-for-each-task",
    invariant: "I17",
    file: "src/runtime/trees.ts",
    find: "    const living = this.#accounts.get(taskId);\n    if (living) return living;",
    replace: "",
    why: "Each new task of a tree begins the tree's budget anew.",
  },
];
