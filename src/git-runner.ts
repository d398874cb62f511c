// Runs one git command after the other, each as git-command.ts says, and believes nothing that it does not answer.

import type { Clock } from "./base/clock.ts";
import { linkedAbort } from "./base/abort.ts";
import { ConflictError, messageOf } from "./base/errors.ts";
import type { ProcessHost, RunResult } from "./base/process.ts";
import { gitArgv, gitEnv, type GitPlace } from "./git-command.ts";

/** One command; a large repository is checked out within it. */
const MAX_COMMAND_MS = 300_000;
const MAX_OUTPUT_BYTES = 65_536;

export interface GitAsk extends GitPlace {
  readonly cwd?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface GitOptions {
  readonly processes: Pick<ProcessHost, "run">;
  readonly clock: Clock;
  /** Where git is found. */
  readonly searchPath: string;
  /** Where it runs when nothing else is said. */
  readonly folder: string;
}

export class Git {
  readonly #options: GitOptions;

  constructor(options: GitOptions) {
    this.#options = options;
  }

  /** What a command answers. Contract: throws ConflictError `worktree_failed` when it fails. */
  async text(args: readonly string[], ask: GitAsk): Promise<string> {
    const { code, stdout, stderr } = await this.#run(args, ask);
    if (code === 0) return stdout.replace(/\n$/, "");
    throw failed(`git ${args[0]} says: ${mainLine(stderr) || `exit code ${code}`}`);
  }

  /** The same for a command that answers with a number or the name of an object, which nothing is not. */
  async name(args: readonly string[], ask: GitAsk): Promise<string> {
    const answer = await this.text(args, ask);
    if (/^[0-9a-f]+$/.test(answer)) return answer;
    throw failed(`git ${args[0]} answered ${JSON.stringify(answer.slice(0, 80))}`);
  }

  /** Yes or no by the exit code 0 or 1. Contract: throws for any other. */
  async holds(args: readonly string[], ask: GitAsk): Promise<boolean> {
    const { code, stderr } = await this.#run(args, ask);
    if (code === 0 || code === 1) return code === 0;
    throw failed(`git ${args[0]} says: ${mainLine(stderr) || `exit code ${code}`}`);
  }

  async #run(args: readonly string[], { cwd, signal, ...place }: GitAsk): Promise<RunResult> {
    const { processes, clock, folder, searchPath } = this.#options;
    const abort = linkedAbort(signal);
    const late = clock.after(MAX_COMMAND_MS, () =>
      abort.abort(failed(`git ${args[0]} took longer than ${MAX_COMMAND_MS / 1000} s`)),
    );
    try {
      return await processes.run(gitArgv(args, place), {
        cwd: cwd ?? folder,
        env: gitEnv(searchPath, place),
        signal: abort.signal,
        maxBytes: MAX_OUTPUT_BYTES,
      });
    } finally {
      late.cancel();
      abort.release();
    }
  }
}

/** The line of a complaint that says what is wrong, without control characters. Contract: pure. */
export function mainLine(text: string): string {
  const lines = text.split("\n").filter((each) => each.trim() !== "");
  const line = lines.find((each) => /^(fatal|error):/.test(each)) ?? lines[0] ?? "";
  return line.replace(/\p{Cc}/gu, " ").slice(0, 300);
}

const BEGINNING = "No worktree for the task: ";

/** What an error says, without the words that `failed` puts around it. Contract: pure. */
export function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return message.startsWith(BEGINNING) ? message.slice(BEGINNING.length).replace(/\.$/, "") : message;
}

export function failed(why: string): ConflictError {
  return new ConflictError("worktree_failed", `${BEGINNING}${why}.`);
}
