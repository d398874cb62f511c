// Puts a person in front of a toolset: each of its calls waits until somebody allows it, and acts only then. The wait is
// the tools' own durable one: it holds no slot, survives a restart and ends by itself after a while.
//
// A1. Nothing of the call has happened before a person said yes, word for word to what was shown.
// A2. A call that nobody allowed is told to the model as denied, and by whom: a person, or time alone.

import { ToolError } from "../base/errors.ts";
import { asksFirst, verdictOf, type ApprovalRule } from "../core/approval.ts";
import type { Tool, ToolOutcome, Toolset, WaitEnd } from "../core/tool.ts";

/**
 * Characters of a call that a person is shown: more than any command of the terminal has, whatever stands in it, so
 * that none hides its middle. Of a longer call, which can only be the text of a file, is told how much is left out.
 */
const MAX_SHOWN = 300_000;
const MAX_REASON = 500;

/** Whatever is not plainly there to be read: control characters, marks of direction, invisible letters, lone halves. */
const UNSEEN = /[^\P{C}\n]|[\u2028\u2029\u115f\u1160\u3164\uffa0]/gu;

/** The toolset as the rule has it; itself where it asks for nothing. `only` names the tools that ask, else all do. */
export function withApproval(toolset: Toolset, rule: ApprovalRule, only?: ReadonlySet<string>): Toolset {
  if (!asksFirst(rule)) return toolset;
  const asks = ({ definition }: Tool): boolean => only?.has(definition.name) ?? true;
  return {
    ...toolset,
    tools: (role) => toolset.tools(role).map((tool) => (asks(tool) ? asking(tool, rule) : tool)),
  };
}

function asking(tool: Tool, { timeoutMs }: ApprovalRule): Tool {
  const { name } = tool.definition;
  return {
    definition: tool.definition,
    repeatable: tool.repeatable,
    run: (input) =>
      Promise.resolve<ToolOutcome>({
        type: "suspended",
        wait: { for: "input", prompt: callText(name, input), timeoutMs, approval: true },
      }),
    resume: async (input, ended, context) => {
      if (ended.wait.for !== "input" || ended.wait.approval !== true) {
        if (tool.resume) return tool.resume(input, ended, context);
        throw new ToolError(
          "not_resumable",
          `Expected ${name} to wait for nothing but its permission, and it did.`,
        );
      }
      checkAllowed(name, ended.end, timeoutMs);
      return tool.run(input, context);
    },
  };
}

/** Keeps A2. Contract: throws ToolError `denied`, `denied_by_timeout` or `not_allowed_yet`. */
function checkAllowed(name: string, end: WaitEnd, timeoutMs: number): void {
  if (end.cause === "timeout") {
    throw new ToolError(
      "denied_by_timeout",
      `${name} was denied by timeout: nobody answered within ${timeoutMs / 1000} s, so it did not run. No person has refused it (tools.approval_timeout_s in the config).`,
    );
  }
  if (end.cause !== "satisfied") {
    throw new ToolError(
      "not_allowed_yet",
      `${name} did not run: the question was called off before anybody answered.`,
    );
  }
  const { allowed, reason } = verdictOf(end.answer ?? "");
  if (allowed) return;
  const said =
    reason === null ? "" : ` They said: ${JSON.stringify(reason.slice(0, MAX_REASON).toWellFormed())}`;
  throw new ToolError(
    "denied",
    `A person denied ${name}, so it did not run.${said} Do not ask for the same again.`,
  );
}

/** What a person reads of a call: all of it in plain sight (keeps A1). Pure. */
export function callText(name: string, input: Readonly<Record<string, unknown>>): string {
  const json = JSON.stringify(input).replaceAll(UNSEEN, escaped);
  if (json.length <= MAX_SHOWN) return `${name} ${json}`;
  const half = MAX_SHOWN / 2;
  const left = json.length - MAX_SHOWN;
  return `${name} ${json.slice(0, half)} [… ${left} more characters are not shown …] ${json.slice(-half)}`;
}

function escaped(unseen: string): string {
  return `\\u{${(unseen.codePointAt(0) ?? 0).toString(16)}}`;
}
