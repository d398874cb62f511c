import { expect, test } from "vitest";
import { Dice, streamOf } from "../sim/dice.ts";
import { DEEPEST, drawPlan, goalOf, planIn, plansOf, type Plan } from "./plan.ts";
import { replyTo, type ChatMessage } from "./planner.ts";

const TOOLS = new Set(["delegate_task", "delegate_task_async", "collect_task", "report_progress"]);
const leaf = (name: string): Plan => ({ name, manner: "async", ms: 0, reports: false, children: [] });
const user = (content: string): ChatMessage => ({ role: "user", content, calls: [], answers: null });

test("every drawn plan survives its goal, has names of its own and is no deeper than the server allows", () => {
  for (let seed = 0; seed < 200; seed++) {
    const plan = drawPlan(new Dice(streamOf(seed, 1)), "h1.0", 7);
    const all = plansOf(plan);
    expect(planIn(goalOf(plan))).toEqual(plan);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    expect(Math.max(...all.map(({ name }) => name.split(".").length - 2))).toBeLessThanOrEqual(DEEPEST);
  }
  expect(planIn("[steer] plan {}")).toBeNull();
  expect(planIn("plan {half")).toBeNull();
});

test("the same chat gets the same answer, and what was called is not called again", () => {
  const plan: Plan = { ...leaf("h1.0"), manner: "collect", reports: true, children: [leaf("h1.0.0")] };
  const chat: ChatMessage[] = [user(goalOf(plan))];
  const called: string[] = [];
  for (let turn = 0; turn < 10; turn++) {
    const reply = replyTo(chat, TOOLS);
    expect(replyTo(chat, TOOLS)).toEqual(reply);
    if (reply.calls.length === 0) break;
    const calls = reply.calls.map((call, at) => ({ ...call, id: `${turn}.${at}` }));
    called.push(...calls.map(({ name }) => name));
    chat.push({ role: "assistant", content: "", calls, answers: null });
    for (const { id } of calls)
      chat.push({ role: "tool", content: '{"task_id":"task_1"}', calls: [], answers: id });
  }
  expect(called).toEqual(["report_progress", "delegate_task_async", "collect_task"]);
  expect(replyTo(chat, TOOLS).text).toBe("did h1.0");
});

test("a session goes through the plans of all its messages, with the tools that it has", () => {
  const [first, second] = [{ ...leaf("h1.1"), reports: true }, leaf("h1.2")];
  expect(replyTo([user(goalOf(first)), user("hello"), user(goalOf(second))], TOOLS).calls).toHaveLength(1);
  expect(replyTo([user(goalOf(first)), user(goalOf(second))], new Set()).text).toBe("did h1.1, h1.2");
  expect(replyTo([user("hello")], TOOLS)).toEqual({ plan: null, text: "did nothing", calls: [] });
});
