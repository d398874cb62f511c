// How long a delegation call holds the conversation that makes it, while 300 children of that conversation hang in
// generation or in a queue. The very tools that a model calls are run, arguments checked, over the API that is bound
// to the session.

import { systemClock } from "../../src/base/clock.ts";
import type { Caller, TaskApi } from "../../src/core/api.ts";
import type { Tool, ToolContext } from "../../src/core/tool.ts";
import { textOf } from "../../src/core/message.ts";
import { checkArguments } from "../../src/toolsets/arguments.ts";
import { delegationToolset } from "../../src/toolsets/delegation.ts";
import { hang, say } from "../../providers/script.ts";
import { benchRig, type BenchRig } from "../rig.ts";
import { summarize, type Summary } from "../statistics.ts";

const CHILDREN = 300;
/** The rest of the children wait for a slot. */
const SLOTS = 100;

export const BLOCKING_TOOLS = ["delegate_task_async", "check_task", "steer_task", "cancel_task"] as const;
type ToolName = (typeof BLOCKING_TOOLS)[number];

export interface Blocked {
  readonly tools: Readonly<Record<ToolName, Summary>>;
  readonly problems: readonly string[];
}

/** Calls the tools of one session, and keeps how long each call took. */
class Conversation {
  readonly samples = new Map<ToolName, number[]>(BLOCKING_TOOLS.map((name) => [name, []]));
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly #context: Omit<ToolContext, "callId">;
  #calls = 0;

  constructor(sessionId: string, tasks: TaskApi) {
    const tools = delegationToolset({ onInterrupt: "continue" }).tools("orchestrator");
    this.#tools = new Map(tools.map((tool) => [tool.definition.name, tool]));
    this.#context = {
      taskId: sessionId,
      rootId: sessionId,
      role: "orchestrator",
      workspace: "/tmp",
      tasks,
      clock: systemClock,
      maxResultChars: 24_000,
      signal: new AbortController().signal,
      reportProgress: async () => {},
    };
  }

  async call(name: ToolName, input: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
    const tool = this.#tools.get(name) as Tool;
    this.#calls += 1;
    const context = { ...this.#context, callId: `call_${this.#calls}` };
    const start = systemClock.monotonic();
    const outcome = await tool.run(checkArguments(tool, input), context);
    this.samples.get(name)?.push(systemClock.monotonic() - start);
    if (outcome.type !== "result") throw new Error(`${name} suspended: it must not wait.`);
    return outcome.value as Record<string, unknown>;
  }
}

export async function blocked(rounds: number): Promise<Blocked> {
  const rig = benchRig({
    slots: SLOTS,
    maxChildren: 2 * CHILDREN,
    // Children hang; the session answers what its cancelled children's ends tell it.
    reply: ({ messages }) =>
      messages.some((each) => textOf(each).startsWith("stuck")) ? [hang()] : [say("Noted.")],
  });
  const session = (await rig.api.createSession({})).taskId;
  const caller: Caller = { name: session, scopes: ["read", "control"], taskId: session };
  const conversation = new Conversation(session, rig.runtime.as(caller));
  const stuck: string[] = [];
  for (let at = 0; at < CHILDREN; at += 1) {
    stuck.push((await rig.api.delegate({ goal: `stuck ${at}`, parentId: session })).taskId);
  }
  for (let round = -20; round < rounds; round += 1) {
    if (round === 0) for (const list of conversation.samples.values()) list.length = 0;
    const target = stuck[(round + CHILDREN) % CHILDREN] as string;
    const started = await conversation.call("delegate_task_async", { goal: "stuck as well" });
    await conversation.call("check_task", { task_id: target });
    await conversation.call("steer_task", { task_id: target, message: `Look at ${round}.` });
    await conversation.call("cancel_task", { task_id: started["task_id"] });
    // A model thinks between its calls; here timers and sockets get their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const problems = await problemsOf(rig, { session, stuck, extra: rounds + 20 });
  await rig.close();
  const tools = Object.fromEntries([...conversation.samples].map(([name, list]) => [name, summarize(list)]));
  return { tools: tools as Record<ToolName, Summary>, problems };
}

/** The stuck ones still live, every other child was cancelled once, and every steer has its receipt. */
async function problemsOf(
  { api, store }: BenchRig,
  {
    session,
    stuck,
    extra,
  }: { readonly session: string; readonly stuck: readonly string[]; readonly extra: number },
): Promise<readonly string[]> {
  const ends = await store.events({
    after: 0,
    rootId: session,
    types: ["task.done", "task.failed", "task.cancelled"],
  });
  const problems: string[] = [];
  const ended = new Set(ends.map((event) => event.taskId));
  if (ends.length !== extra || ended.size !== extra)
    problems.push(`${ends.length} ends for ${extra} cancelled children`);
  if (stuck.some((id) => ended.has(id))) problems.push("a stuck child ended");
  const views = await Promise.all(stuck.map((id) => api.check(id)));
  const steers = views.reduce((sum, view) => sum + view.steers.length, 0);
  if (steers !== extra) problems.push(`${steers} receipts for ${extra} steers`);
  return problems;
}
