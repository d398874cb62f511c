// The toolset `ask`: a question to whoever delegated the task. The call is a durable wait like an approval: it holds no
// slot, survives a restart and ends by itself after a while. The parent's agent gets it as mail, and a person sees it too.
//
// Q1. What no one answered is told as not answered, and why; what was answered, by whom: an agent or a person.
// Q2. A question that nobody could answer is refused at once, with the reason.

import { ToolError } from "../base/errors.ts";
import { MAX_QUESTION_CHARS, MAX_QUESTIONS } from "../core/limits.ts";
import type { Respondent } from "../core/question.ts";
import type { Tool, ToolOutcome, Toolset, ToolWait, WaitEnd } from "../core/tool.ts";

/** `timeoutMs` is how long a question waits at most. */
export function askToolset(timeoutMs: number): Toolset {
  const tools = [askParent(timeoutMs)];
  return {
    name: "ask",
    description: "Ask whoever delegated the task, and wait for the answer.",
    tools: () => tools,
  };
}

function askParent(longestMs: number): Tool {
  return {
    definition: {
      name: "ask_parent",
      description:
        "Ask whoever delegated this task ONE question and WAIT for the answer. They do not see what you see: put all that they need to answer into the question. Ask only what you cannot find out by yourself and cannot go on without.",
      parameters: {
        type: "object",
        properties: {
          question: { type: "string", minLength: 1, maxLength: MAX_QUESTION_CHARS },
          timeout: {
            type: "number",
            exclusiveMinimum: 0,
            description: `Seconds to wait at most; ${longestMs / 1000} when left out, and never more.`,
          },
        },
        required: ["question"],
        additionalProperties: false,
      },
    },
    repeatable: true,
    run: async (input, context) => {
      const { timeout } = input;
      const respondent = await context.respondent?.();
      const timeoutMs = Math.min(longestMs, typeof timeout === "number" ? timeout * 1000 : longestMs);
      const asks = whomOf(respondent) === "parent" ? ({ asks: "parent" } as const) : {};
      const wait: ToolWait = { for: "input", prompt: String(input["question"]), timeoutMs, ...asks };
      return { type: "suspended", wait };
    },
    resume: (_, { wait, end }) => Promise.resolve(outcomeOf(wait, end)),
  };
}

const NOBODY: Readonly<Record<Exclude<Respondent, "parent" | "person">, string>> = {
  ended:
    "Your parent has ended, so nobody is there to answer. Decide by yourself, and say in your result what you assumed.",
  spent: `You have asked your parent ${MAX_QUESTIONS} questions, and may ask no more. Decide by yourself, and say in your result what you assumed.`,
  conversation:
    "Nobody delegated this conversation: you talk with a person. Write your question as your answer, and the person reads it.",
};

/** Keeps Q2. Contract: throws ToolError `nobody_to_ask`. */
function whomOf(respondent: Respondent | undefined): "parent" | "person" {
  if (respondent === "parent" || respondent === "person") return respondent;
  throw new ToolError("nobody_to_ask", NOBODY[respondent ?? "ended"]);
}

/** Keeps Q1. Contract: throws ToolError `nobody_to_ask` when the parent has ended meanwhile. */
function outcomeOf(wait: ToolWait, end: WaitEnd): ToolOutcome {
  if (end.cause === "parent_ended") throw new ToolError("nobody_to_ask", NOBODY.ended);
  if (end.cause === "satisfied") {
    const by = end.by === "agent" ? "your parent" : "a person";
    return { type: "result", value: { answered: true, by, answer: end.answer ?? "" } };
  }
  const within = wait.timeoutMs === undefined ? "" : ` within ${wait.timeoutMs / 1000} s`;
  const why = end.cause === "timeout" ? `nobody answered${within}` : "the question was called off";
  const note = `No answer in time: ${why}, and nobody has decided anything. Decide by yourself, and say in your result what you assumed.`;
  return { type: "result", value: { answered: false, note } };
}
