// A box whose children ask their parents, with parents of several manners.

import { call, say, wait, type Step } from "../../providers/script.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import { textOf, type Message } from "../../src/core/message.ts";
import { parseQuestion } from "../../src/core/transcript-marks.ts";
import type { Toolset } from "../../src/core/tool.ts";
import { askToolset } from "../../src/toolsets/ask.ts";
import { goalIn, resultsIn } from "./conversation.ts";
import { RestartingBox } from "./restarting.ts";
import { agentNamed, type RigOptions } from "./rig.ts";
import { wrappedStore } from "./wrapped-store.ts";

export const ASK = askToolset(60_000);
export const QUESTION = "which port?";

/** The same tool without the mail to the parent: a naive one. */
export const NAIVE: Toolset = {
  ...ASK,
  tools: (role) =>
    ASK.tools(role).map((tool) => ({
      ...tool,
      run: async (input, context) => tool.run(input, { ...context, respondent: async () => "person" }),
    })),
};

export type Manner = (
  request: GenerateRequest,
  question: ReturnType<typeof parseQuestion>,
) => readonly Step[];

export const calledTools = ({ messages }: GenerateRequest): boolean =>
  messages.some(({ role }) => role === "tool");
export const newest = ({ messages }: GenerateRequest): Message => messages.at(-1) as Message;

/** Answers what it is asked, collects, and says what came back. */
export const helpful: Manner = (request, question) => {
  if (question && newest(request).origin === "question")
    return [
      call("answer_task", { task_id: question.taskId, question_id: question.questionId, answer: "8080" }),
    ];
  const results = resultsIn(request.messages);
  const last = JSON.stringify(results.at(-1) ?? "");
  if (last.includes("Sent")) return [call("collect_task", { task_id: question?.taskId })];
  return [say(last)];
};

/** Reads what it is asked and goes on waiting. */
export const deaf: Manner = (request) => {
  const asked = request.messages.map((each) => parseQuestion(textOf(each))).find((each) => each !== null);
  const results = JSON.stringify(resultsIn(request.messages));
  if (results.includes('"finished":true')) return [say(results)];
  return asked ? [call("collect_task", { task_id: asked.taskId })] : [say("never asked")];
};

export function box(manner: Manner, options: Partial<RigOptions> = {}): RestartingBox {
  const delegation = {
    maxConcurrentChildren: 3,
    maxSpawnDepth: 2,
    onInterrupt: "cancel",
    defaultToolsets: [],
  } as const;
  return new RestartingBox({
    toolsets: [ASK],
    reply: (request) => {
      const goal = goalIn(request);
      if (goal === "child") {
        const [told] = resultsIn(request.messages);
        return told === undefined
          ? [wait(100), call("ask_parent", { question: QUESTION })]
          : [say(typeof told === "string" ? told : JSON.stringify(told))];
      }
      if (goal === "busy") return [wait(300_000), say("at last")];
      const questions = request.messages.flatMap((each) => parseQuestion(textOf(each)) ?? []);
      if (goal === "lead" && !calledTools(request)) {
        return [call("delegate_task", { tasks: [{ goal: "child", toolsets: ["ask"] }] })];
      }
      return manner(request, questions.at(-1) ?? null);
    },
    ...options,
    settings: {
      delegation,
      sessionAgent: agentNamed("session", { toolsets: ["delegation", "ask"], role: "orchestrator" }),
      ...options.settings,
    },
  });
}

/** A parent that waits for its only child, and the child, once it asks. */
export async function led(manner: Manner, options: Partial<RigOptions> = {}) {
  const it = box(manner, options);
  const { taskId } = await it.api.delegate({ goal: "lead", role: "orchestrator" });
  await it.clock.advance(50);
  const [childId = ""] = (await it.api.check(taskId)).children;
  return { it, taskId, childId };
}

/** The same in a box that dies right after the first write of this kind. */
export async function dying(isLast: (name: string, args: readonly unknown[]) => boolean) {
  const death: { came: boolean; it: RestartingBox | null } = { came: false, it: null };
  const all = await led(helpful, {
    wrapStore: (store) =>
      wrappedStore(store, {
        after: (name, args) => {
          if (death.came || !isLast(name, args)) return;
          death.came = true;
          death.it?.die();
        },
      }),
  });
  death.it = all.it;
  return { ...all, death };
}

export async function questionsRead(it: RestartingBox, taskId: string): Promise<number> {
  const rows = await it.store.transcript(taskId, {});
  return rows.filter(({ message }) => message.origin === "question").length;
}

export const result = async (it: RestartingBox, taskId: string): Promise<string> =>
  (await it.api.collect(taskId, { timeoutMs: 0 })).result ?? "";
