// One shell of one task, in a sandbox of its own, with everything that it started.
//
// I1. Commands run one after the other, in the order in which they were asked for; each has exactly one end.
// I2. A command that is called off or takes too long ends the session: with its sandbox everything dies that it, or one
//     before it, has started, whatever that did to get away.
// I3. What is kept of any output, and of input that nobody reads, is bounded.
// I4. After the end nothing is sent, and whoever waits is told.

import type { Clock } from "../base/clock.ts";
import { linkedAbort } from "../base/abort.ts";
import { ToolError } from "../base/errors.ts";
import type { RunningProcess } from "../base/process.ts";
import { TerminalJob } from "./terminal-job.ts";
import { MarkedStream, type Mark } from "./terminal-marks.ts";
import { CappedOutput, plainText } from "./terminal-output.ts";
import { channelOf, killOrder, MAX_JOBS, runOrder, startOrder } from "./terminal-script.ts";

export interface SessionOptions {
  readonly program: RunningProcess;
  /** What the marks of this session begin with. */
  readonly word: string;
  readonly clock: Clock;
  /** Bytes kept of one command's output. */
  readonly maxOutputBytes: number;
}

export interface CommandEnd {
  /** `null` when it did not end by itself. */
  readonly exitCode: number | null;
  readonly output: string;
  readonly truncated: boolean;
  readonly cwd: string | null;
  /** The shell ended with it, and another one has begun. */
  readonly newShell: boolean;
  /** It took too long: the session is over. */
  readonly timedOut: boolean;
}

export interface CommandRequest {
  readonly command: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

type Answer = { readonly code: number; readonly cwd: string; readonly newShell: boolean } | "session_ended";

/** Ended jobs that are remembered; the oldest is forgotten first. */
const MAX_ENDED_JOBS = 16;
const MAX_COMPLAINT_BYTES = 2_000;
const MAX_UNREAD_BYTES = 262_144;

export class TerminalSession {
  readonly #options: SessionOptions;
  readonly #output: CappedOutput;
  readonly #complaint = new CappedOutput(MAX_COMPLAINT_BYTES);
  readonly #jobs = new Map<number, TerminalJob>();
  readonly #inSlot: (TerminalJob | null)[] = Array.from({ length: MAX_JOBS }, () => null);
  #lastJob = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #answer: ((answer: Answer) => void) | null = null;
  #over = false;
  /** Resolves when everything of the session has ended. */
  readonly ended: Promise<void>;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { program, word, maxOutputBytes } = options;
    this.#output = new CappedOutput(maxOutputBytes);
    const shell = new MarkedStream(word, {
      output: (bytes) => this.#output.write(bytes),
      mark: (mark) => this.#heard(mark),
    });
    program.onOutput(1, (bytes) => shell.write(bytes));
    program.onOutput(2, (bytes) => this.#complaint.write(bytes));
    for (const slot of this.#inSlot.keys()) this.#listen(slot);
    this.ended = program.exited.then(() => this.#ended());
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Keeps I1 and I2. Throws the signal's reason when it aborts, ToolError `session_ended` when the sandbox ends. */
  run({ command, timeoutMs, signal }: CommandRequest): Promise<CommandEnd> {
    return this.#inTurn(signal, async () => {
      const answer = await this.#order(runOrder(command), { timeoutMs, signal });
      if (answer === "session_ended") throw this.#endedError();
      const { text: output, truncated } = this.#output.take();
      if (answer === "timed_out") {
        return { exitCode: null, output, truncated, cwd: null, newShell: false, timedOut: true };
      }
      const { code, cwd, newShell } = answer;
      return { exitCode: code, output, truncated, cwd, newShell, timedOut: false };
    });
  }

  /**
   * Begins a command that goes on beside the others; `timeoutMs` is for its beginning alone.
   * Throws ToolErrors `too_many_jobs` and `not_started`, and as `run` does.
   */
  start({ command, timeoutMs, signal }: CommandRequest): Promise<TerminalJob> {
    return this.#inTurn(signal, async () => {
      const slot = this.#inSlot.findIndex((job) => job === null || !job.isRunning);
      if (slot < 0) {
        const running = [...this.#jobs.values()].filter(({ isRunning }) => isRunning).map(({ id }) => id);
        throw new ToolError(
          "too_many_jobs",
          `Expected at most ${MAX_JOBS} commands of terminal_start at once, and ${running.join(", ")} still run. End one with terminal_kill.`,
        );
      }
      const job = new TerminalJob((this.#lastJob += 1), this.#options.maxOutputBytes);
      this.#inSlot[slot] = job;
      this.#remember(job);
      const answer = await this.#order(startOrder(slot, command), { timeoutMs, signal }, job.started);
      if (answer === "session_ended") throw this.#endedError();
      if (answer === "timed_out") {
        throw new ToolError(
          "not_started",
          `The command had not begun after ${timeoutMs / 1000} s (tools.terminal.timeout_s): the session with all its jobs was ended. The next call begins a new one.`,
        );
      }
      return job;
    });
  }

  /** Throws ToolError `no_such_job`. */
  job(id: number): TerminalJob {
    const job = this.#jobs.get(id);
    if (job) return job;
    const known = [...this.#jobs.keys()].join(", ") || "none";
    throw new ToolError("no_such_job", `There is no job ${id} in this session. Jobs: ${known}.`);
  }

  /**
   * Sends input to a running job; with `end` its input is over after it.
   * Throws ToolErrors `job_ended`, and `input_waits` for a job that reads too little of it (keeps I3).
   */
  write(job: TerminalJob, text: string, end: boolean): void {
    const slot = this.#inSlot.indexOf(job);
    if (slot < 0 || !job.isRunning) {
      throw new ToolError("job_ended", `Job ${job.id} has ended: it reads nothing any more.`);
    }
    const { program } = this.#options;
    const waiting = program.unread(channelOf(slot));
    if (text !== "" && waiting > MAX_UNREAD_BYTES) {
      throw new ToolError(
        "input_waits",
        `Job ${job.id} does not read: ${waiting} bytes of its input wait already, and this was not added. See what it does with terminal_read, or end it with terminal_kill.`,
      );
    }
    if (text !== "") program.write(channelOf(slot), text);
    if (end && job.feeder !== null) this.#send(killOrder(job.feeder));
  }

  /** Kills a job with its process group; what left that group ends with the session. */
  kill(job: TerminalJob): void {
    if (job.isRunning && job.pid !== null) this.#send(killOrder(-job.pid));
  }

  /** Keeps I2. Contract: may be called twice; resolves when nothing of it runs. */
  async close(): Promise<void> {
    this.#options.program.kill();
    await this.ended;
  }

  #inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => {
      signal.throwIfAborted();
      if (this.#over) throw this.#endedError();
      return work();
    });
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** Sends it and waits for the answer, and for `begun` where one is given. Keeps I2. */
  async #order(
    order: string,
    { timeoutMs, signal }: Pick<CommandRequest, "timeoutMs" | "signal">,
    begun?: Promise<void>,
  ): Promise<Answer | "timed_out"> {
    const abort = linkedAbort(signal);
    const onAbort = (): void => void this.close();
    abort.signal.addEventListener("abort", onAbort, { once: true });
    let timedOut = false;
    const timer = this.#options.clock.after(timeoutMs, () => {
      timedOut = true;
      void this.close();
    });
    try {
      const answered = new Promise<Answer>((resolve) => (this.#answer = resolve));
      this.#send(order);
      const answer = await answered;
      await begun;
      signal.throwIfAborted();
      return timedOut && this.#over ? "timed_out" : answer;
    } finally {
      this.#answer = null;
      timer.cancel();
      abort.release();
    }
  }

  #send(order: string): void {
    if (!this.#over) this.#options.program.write(0, order);
  }

  #heard({ kind, fields: [code = "", cwd = ""] }: Mark): void {
    if (kind !== "done" && kind !== "shell_ended") return;
    this.#answer?.({ code: Number(code), cwd, newShell: kind === "shell_ended" });
  }

  #listen(slot: number): void {
    const { program, word } = this.#options;
    const stream = new MarkedStream(word, {
      output: (bytes) => this.#inSlot[slot]?.write(bytes),
      mark: ({ kind, fields }) => this.#inSlot[slot]?.heard(kind, fields.map(Number)),
    });
    program.onOutput(channelOf(slot), (bytes) => stream.write(bytes));
  }

  #remember(job: TerminalJob): void {
    this.#jobs.set(job.id, job);
    const ended = [...this.#jobs.values()].filter(({ isRunning }) => !isRunning);
    for (const each of ended.slice(0, Math.max(0, ended.length - MAX_ENDED_JOBS))) this.#jobs.delete(each.id);
  }

  #ended(): void {
    this.#over = true;
    for (const job of this.#jobs.values()) job.lost();
    this.#answer?.("session_ended");
  }

  #endedError(): ToolError {
    const said = plainText(this.#complaint.take().text).trim();
    const why = said === "" ? "it was killed from inside, or by the system" : said.slice(0, 400);
    return new ToolError(
      "session_ended",
      `The shell session has ended (${why}). Everything in it is gone: variables, folder, jobs. The next call begins a new one.`,
    );
  }
}
