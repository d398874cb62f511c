// Runs the tool calls of one turn, or goes on with those that were suspended. What fails becomes a result for the
// model; nothing here ends a run, except a model that repeats itself.
// C1. Every call of a turn gets exactly one result or one wait, in the order of the calls.
// C2. A result is cut to what the model's context can take, and says so.

import { messageOf } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { NewEvent } from "../core/event.ts";
import { TOOL_LOOP_LIMIT } from "../core/limits.ts";
import type { Message, ToolCall } from "../core/message.ts";
import type { TaskFailure } from "../core/task.ts";
import type { Tool, ToolContext, ToolOutcome, ToolWait, WaitEnd } from "../core/tool.ts";
import type { PendingWait } from "../../machines/agent.ts";
import type { StallWatch } from "./stall-watch.ts";
import { questionOf } from "./approval-question.ts";
import { questionLines, resultLine } from "./output-lines.ts";
import { cutMiddle } from "./output-ring.ts";

/** One call to make or to go on with. */
export interface ToolStep {
  readonly call: ToolCall;
  /** Set when the call was suspended and its wait has ended. */
  readonly ended: { readonly wait: ToolWait; readonly end: WaitEnd } | null;
  /** It may have acted before a restart and must not act twice: its outcome is unknown. */
  readonly interrupted?: boolean;
}

export interface ToolRunnerOptions {
  readonly tools: ReadonlyMap<string, Tool>;
  readonly clock: Clock;
  /** Characters of one result that the model gets. */
  readonly maxResultChars: number;
  /** Watches one call; what stalls becomes a result for the model. */
  readonly watch: (call: ToolCall) => StallWatch;
  readonly context: (callId: string, watch: StallWatch) => ToolContext;
  /** Checks and mends arguments; throws ToolError `bad_arguments`. */
  readonly checkArguments: (tool: Tool, input: unknown) => Readonly<Record<string, unknown>>;
  /** Takes every secret that is known out of what a tool says. */
  readonly redact: (text: string) => string;
  /** Takes one call from the budget, or says that none is left. */
  readonly takeCall: () => TaskFailure | null;
}

export interface ToolsRan {
  readonly messages: readonly Message[];
  readonly events: readonly NewEvent[];
  readonly waits: readonly PendingWait[];
  /** Children whose end the model was told of. */
  readonly delivered: readonly string[];
  /** Lines for the output ring. */
  readonly lines: readonly string[];
  /** The budget that was spent before all calls were made; the run ends by it. */
  readonly spent: TaskFailure | null;
}

interface Answer {
  readonly text: string;
  readonly isError: boolean;
  readonly wait: ToolWait | null;
  readonly delivers: readonly string[];
  readonly ms: number;
  readonly spent?: TaskFailure;
}

/**
 * Runs all steps at once; never throws for what a tool does, only the signal's reason when it aborts. A call that
 * stalls is stopped alone: the others go on.
 */
export async function runTools(steps: readonly ToolStep[], options: ToolRunnerOptions): Promise<ToolsRan> {
  const answers = await Promise.all(steps.map((step) => runOne(step, options)));
  const messages: Message[] = [];
  const events: NewEvent[] = [];
  const waits: PendingWait[] = [];
  const lines: string[] = [];
  const asked = questionOf(answers.flatMap(({ wait }) => wait ?? []));
  for (const [index, { call }] of steps.entries()) {
    const answer = answers[index] as Answer;
    if (answer.wait) {
      const wait = asShown(answer.wait, asked, options);
      waits.push({ callId: call.id, tool: call.name, wait, end: null });
      events.push(suspended(call, wait));
      continue;
    }
    const { text, isError } = answer;
    messages.push({
      role: "tool",
      origin: "tool",
      parts: [{ type: "tool_result", callId: call.id, name: call.name, text, isError }],
    });
    events.push({
      type: "tool.finished",
      data: { callId: call.id, tool: call.name, isError, chars: text.length, ms: Math.round(answer.ms) },
    });
    lines.push(resultLine({ name: call.name, text, isError }));
  }
  // Last of all: who is asked reads the end of the output.
  lines.push(...questionLines(waits).map(options.redact));
  const delivered = answers.flatMap((answer) => answer.delivers);
  const spent = answers.find((answer) => answer.spent)?.spent ?? null;
  return { messages, events, waits, delivered, lines, spent };
}

/** A person reads one question for all calls of a turn that want to be allowed, and no secret in it. */
function asShown(wait: ToolWait, asked: string, { redact }: ToolRunnerOptions): ToolWait {
  if (wait.for !== "input") return wait;
  return { ...wait, prompt: redact(wait.approval ? asked : wait.prompt) };
}

function suspended({ id: callId, name: tool }: ToolCall, wait: ToolWait): NewEvent {
  const taskIds = wait.for === "children" ? wait.taskIds : [];
  const prompt = wait.for === "input" ? { prompt: wait.prompt, ...(wait.asks && { asks: wait.asks }) } : {};
  return { type: "tool.suspended", data: { callId, tool, waitsFor: wait.for, taskIds, ...prompt } };
}

async function runOne(step: ToolStep, options: ToolRunnerOptions): Promise<Answer> {
  const { call } = step;
  const since = options.clock.monotonic();
  const failed = (text: string): Answer => ({
    text,
    isError: true,
    wait: null,
    delivers: [],
    ms: options.clock.monotonic() - since,
  });
  const tool = options.tools.get(call.name);
  if (!tool) return failed(unknownTool(call.name, options.tools));
  if (call.malformed !== undefined) return failed(malformedCall(call, tool));
  if (step.interrupted === true) return failed(OUTCOME_UNKNOWN);
  const spent = step.ended ? null : options.takeCall();
  if (spent) return { ...failed(spent.message), spent };
  const watch = options.watch(call);
  const context = options.context(call.id, watch);
  try {
    context.signal.throwIfAborted();
    const input = options.checkArguments(tool, call.arguments);
    const outcome = await watch.hold(
      step.ended ? resume(tool, step.ended, { input, context }) : tool.run(input, context),
    );
    const ms = options.clock.monotonic() - since;
    if (outcome.type === "suspended")
      return { text: "", isError: false, wait: outcome.wait, delivers: [], ms };
    const { text } = cutMiddle(options.redact(asText(outcome.value)), options.maxResultChars);
    return { text, isError: false, wait: null, delivers: outcome.delivers ?? [], ms };
  } catch (thrown) {
    if (context.signal.aborted && !watch.stalled) throw context.signal.reason;
    return failed(cutMiddle(options.redact(messageOf(thrown)), options.maxResultChars).text);
  } finally {
    watch.end();
  }
}

const OUTCOME_UNKNOWN =
  "This call was under way when the server stopped: whether it has acted is unknown. Look before you call it again.";

async function resume(
  tool: Tool,
  ended: NonNullable<ToolStep["ended"]>,
  { input, context }: { readonly input: Readonly<Record<string, unknown>>; readonly context: ToolContext },
): Promise<ToolOutcome> {
  if (!tool.resume) return { type: "result", value: `The wait ended (${ended.end.cause}).` };
  return tool.resume(input, ended, context);
}

function asText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined ? "Done." : JSON.stringify(value);
}

function unknownTool(name: string, tools: ReadonlyMap<string, Tool>): string {
  const known = [...tools.keys()];
  return known.length === 0
    ? `There is no tool "${name}": this agent has no tools. Answer in words.`
    : `There is no tool "${name}". Call one of: ${known.join(", ")}.`;
}

function malformedCall(call: ToolCall, tool: Tool): string {
  return (
    `The arguments of ${call.name} were no JSON object: ${call.malformed ?? ""}\n` +
    `Call it again with arguments of this shape: ${JSON.stringify(tool.definition.parameters)}`
  );
}

/** What a model does over and over: counts equal calls with equal results, and malformed turns in a row. */
export class RepetitionWatch {
  #lastKey = "";
  #times = 0;
  #malformedTurns = 0;

  /** Notes one turn; says why the run must end, or null. */
  note(calls: readonly ToolCall[], results: readonly Message[]): TaskFailure | null {
    const malformed = calls.some((call) => call.malformed !== undefined);
    this.#malformedTurns = malformed ? this.#malformedTurns + 1 : 0;
    if (this.#malformedTurns > 1) {
      return {
        code: "malformed_tool_call",
        message:
          "The model wrote tool calls that are no JSON twice in a row. Use a model that is better at tools.",
        retryable: true,
      };
    }
    const texts = results.flatMap((message) =>
      message.parts.map((part) => (part.type === "tool_result" ? part.text : "")),
    );
    const key = JSON.stringify([calls.map((call) => [call.name, call.arguments]), texts]);
    this.#times = key === this.#lastKey ? this.#times + 1 : 1;
    this.#lastKey = key;
    if (this.#times < TOOL_LOOP_LIMIT) return null;
    return {
      code: "tool_loop",
      message: `The model made the same call (${calls.map((call) => call.name).join(", ")}) ${TOOL_LOOP_LIMIT} times with the same result.`,
      retryable: true,
    };
  }
}
