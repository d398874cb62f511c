// The terminal toolset: commands in a shell that the task keeps, inside a sandbox, and commands that go on beside it.
// It has no say in the walls: those are the sandbox's. No call is repeatable: a command acts.

import { ToolError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { JsonSchema } from "../core/json-schema.ts";
import type { Tool, ToolContext, ToolOutcome, Toolset } from "../core/tool.ts";
import type { TerminalJob } from "./terminal-job.ts";
import { MAX_JOBS } from "./terminal-script.ts";
import type { TerminalSession } from "./terminal-session.ts";
import type { TerminalSessions } from "./terminal-sessions.ts";

export interface TerminalOptions {
  /** The shells of all tasks; whoever made them closes them. */
  readonly sessions: TerminalSessions;
  /** What one `terminal` call may take, in milliseconds, and takes when it names nothing. */
  readonly timeoutMs: number;
  /** What commands can take of the machine, in words for a model; nothing is said when absent. */
  readonly bounds?: string;
}

type Input = Readonly<Record<string, unknown>>;

const MAX_COMMAND_CHARS = 32_000;
const MAX_INPUT_CHARS = 32_000;
const MAX_WAIT_S = 60;
/** How long a job that was killed is waited for. */
const KILL_WAIT_MS = 2_000;
const BEGUN =
  "A new shell session began: no variable, folder or background job of an earlier one is left (none survives a restart of the server or a timeout).";

const COMMAND: JsonSchema = {
  type: "string",
  minLength: 1,
  maxLength: MAX_COMMAND_CHARS,
  description: "What bash is to run, as in a script.",
};
const JOB: JsonSchema = { type: "integer", minimum: 1, description: "The job_id of terminal_start." };

/** Contract: `null` options make a toolset that refuses every call, for programs that can start no processes. */
export function terminalToolset(options: TerminalOptions | null): Toolset {
  const used = (): TerminalOptions => {
    if (options !== null) return options;
    throw new ToolError(
      "sandbox_unavailable",
      "The terminal is closed: the program that runs Troupe gave it no way to start processes (World.processes).",
    );
  };
  const tools: readonly Tool[] = [
    terminalTool(used, options?.bounds),
    startTool(used),
    readTool(used),
    writeTool(used),
    killTool(used),
  ];
  return {
    name: "terminal",
    description:
      "Runs commands in a sandboxed shell of the task: terminal, and terminal_start, _read, _write, _kill for long ones.",
    tools: () => tools,
    release: async (taskId) => options?.sessions.release(taskId),
  };
}

interface ToolText {
  readonly name: string;
  readonly description: string;
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
}

function tool(text: ToolText, run: (input: Input, context: ToolContext) => Promise<object>): Tool {
  const { name, description, properties, required } = text;
  const parameters: JsonSchema = { type: "object", properties, required, additionalProperties: false };
  return {
    definition: { name, description, parameters },
    repeatable: false,
    run: async (input, context) => fitted(await run(input, context), context.maxResultChars),
  };
}

function terminalTool(used: () => TerminalOptions, bounds?: string): Tool {
  const text: ToolText = {
    name: "terminal",
    description:
      "Runs a command in your shell and waits for it. Folder, variables and background jobs stay from call to call. Input is empty. A command that takes longer than its time ends the whole session; use terminal_start for servers and long builds." +
      (bounds === undefined ? "" : ` Bounds: ${bounds}.`),
    properties: {
      command: COMMAND,
      timeout_s: {
        type: "integer",
        minimum: 1,
        description: "Seconds it may take; more than allowed is cut.",
      },
    },
    required: ["command"],
  };
  return tool(text, async (input, context) => {
    const { sessions, timeoutMs: most } = used();
    const asked = typeof input["timeout_s"] === "number" ? input["timeout_s"] * 1000 : most;
    const timeoutMs = Math.min(asked, most);
    const { session, isNew } = await sessions.for(context);
    const ended = await session.run({ command: commandOf(input), timeoutMs, signal: context.signal });
    const notes = [
      ...(isNew ? [BEGUN] : []),
      ...(ended.newShell ? ["The shell ended by this command; a new one began in the workspace."] : []),
      ...(ended.timedOut
        ? [
            `It took longer than ${timeoutMs / 1000} s (tools.terminal.timeout_s): the session with all its jobs was ended. The next call begins a new one.`,
          ]
        : []),
    ];
    return {
      exit_code: ended.exitCode,
      output: ended.output,
      truncated: ended.truncated,
      cwd: ended.cwd,
      ...(notes.length > 0 && { note: notes.join(" ") }),
    };
  });
}

function startTool(used: () => TerminalOptions): Tool {
  const text: ToolText = {
    name: "terminal_start",
    description: `Begins a command that goes on beside your shell, like a server, in the shell's folder and with its exported variables; at most ${MAX_JOBS} at once. Returns a job_id at once; see it with terminal_read.`,
    properties: { command: COMMAND },
    required: ["command"],
  };
  return tool(text, async (input, context) => {
    const { sessions, timeoutMs } = used();
    const { session, isNew } = await sessions.for(context);
    const job = await session.start({ command: commandOf(input), timeoutMs, signal: context.signal });
    return { job_id: job.id, state: stateOf(job), ...(isNew && { note: BEGUN }) };
  });
}

function readTool(used: () => TerminalOptions): Tool {
  const text: ToolText = {
    name: "terminal_read",
    description: "Shows what a job of terminal_start wrote since the last look, and whether it still runs.",
    properties: {
      job_id: JOB,
      wait_s: {
        type: "number",
        minimum: 0,
        maximum: MAX_WAIT_S,
        description: "Seconds to wait for output or the end where there is none yet. Default 0.",
      },
    },
    required: ["job_id"],
  };
  return tool(text, async (input, context) => {
    const { job } = await jobOf(used(), input, context);
    const waitMs = typeof input["wait_s"] === "number" ? input["wait_s"] * 1000 : 0;
    if (!job.hasOutput) await changeOf(job, { ...context, ms: waitMs });
    return shown(job);
  });
}

function writeTool(used: () => TerminalOptions): Tool {
  const text: ToolText = {
    name: "terminal_write",
    description: "Writes to the input of a job of terminal_start. End a line with a newline yourself.",
    properties: {
      job_id: JOB,
      input: { type: "string", maxLength: MAX_INPUT_CHARS, description: "The text. Default: none." },
      end_input: { type: "boolean", description: "Whether the input is over after it. Default false." },
    },
    required: ["job_id"],
  };
  return tool(text, async (input, context) => {
    const { job, session } = await jobOf(used(), input, context);
    const written = typeof input["input"] === "string" ? input["input"] : "";
    session.write(job, written, input["end_input"] === true);
    return { job_id: job.id, state: stateOf(job) };
  });
}

function killTool(used: () => TerminalOptions): Tool {
  const text: ToolText = {
    name: "terminal_kill",
    description: "Kills a job of terminal_start and shows what it wrote last.",
    properties: { job_id: JOB },
    required: ["job_id"],
  };
  return tool(text, async (input, context) => {
    const { job, session } = await jobOf(used(), input, context);
    session.kill(job);
    const until = context.clock.monotonic() + KILL_WAIT_MS;
    while (job.isRunning && context.clock.monotonic() < until) {
      await changeOf(job, { ...context, ms: until - context.clock.monotonic() });
    }
    return shown(job);
  });
}

function commandOf({ command }: Input): string {
  if (typeof command === "string" && !command.includes("\0")) return command;
  throw new ToolError(
    "bad_command",
    "Expected a command without the character NUL. Write it to a file with printf.",
  );
}

interface FoundJob {
  readonly job: TerminalJob;
  readonly session: TerminalSession;
}

/** Throws ToolError `no_such_job`. */
async function jobOf(
  { sessions }: TerminalOptions,
  input: Input,
  { taskId }: ToolContext,
): Promise<FoundJob> {
  const id = Number(input["job_id"]);
  const session = await sessions.find(taskId);
  if (session) return { session, job: session.job(id) };
  throw new ToolError(
    "no_such_job",
    `There is no job ${id}: this task has no shell session. One ends with a timeout and with a restart of the server. Begin anew with terminal_start.`,
  );
}

function stateOf(job: TerminalJob): "running" | "exited" {
  return job.isRunning ? "running" : "exited";
}

function shown(job: TerminalJob): object {
  const { text: output, truncated } = job.take();
  return { job_id: job.id, state: stateOf(job), exit_code: job.exitCode, output, truncated };
}

interface ChangeWait {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly ms: number;
}

/** Resolves when something of the job changes, or the time is over; rejects with the signal's reason. */
function changeOf(job: TerminalJob, { clock, signal, ms }: ChangeWait): Promise<void> {
  if (!job.isRunning || ms <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      timer.cancel();
      stop();
      signal.removeEventListener("abort", onAbort);
      resolve();
    };
    const onAbort = (): void => {
      reject(signal.reason as Error);
      settle();
    };
    const timer = clock.after(ms, settle);
    const stop = job.onChange(settle);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** The result, its output cut in the middle until the whole fits: cut later, it would be no JSON any more. */
function fitted(value: object, maxChars: number): ToolOutcome {
  let result = value as { readonly output?: string; readonly truncated?: boolean };
  const isTooLong = (): boolean => JSON.stringify(result).length > maxChars;
  for (let room = maxChars; result.output !== undefined && room > 100 && isTooLong(); room = room * 0.8) {
    const { output } = result;
    const head = output.slice(0, Math.floor(room * 0.25));
    const tail = output.slice(-Math.floor(room * 0.6));
    const cut = output.length - head.length - tail.length;
    if (cut <= 0) continue;
    // A pair that the cut parts is left out whole.
    const [start, end] = [head.replace(/[\ud800-\udbff]$/, ""), tail.replace(/^[\udc00-\udfff]/, "")];
    const text = `${start}\n… [${cut} characters left out] …\n${end}`;
    result = { ...result, output: text, truncated: true };
  }
  return { type: "result", value: result, ...(result.truncated === true && { truncated: true }) };
}
