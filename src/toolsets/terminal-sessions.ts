// The shells of all tasks: one for each task that asked for one, until the task ends.
//
// V1. A task has at most one session; two calls that come at once share it.
// V2. After a task was released it holds none, also when one was being opened at that moment.

import { toHex, type Random } from "../base/ids.ts";
import type { Sandbox } from "../core/sandbox.ts";
import type { ToolContext } from "../core/tool.ts";
import { MAX_JOBS, sessionArgv } from "./terminal-script.ts";
import { TerminalSession } from "./terminal-session.ts";

export interface SessionsOptions {
  readonly sandbox: Sandbox;
  readonly random: Random;
  readonly maxOutputBytes: number;
}

const WORD_BYTES = 16;

/** A session, and whether this call began it. */
export interface FoundSession {
  readonly session: TerminalSession;
  readonly isNew: boolean;
}

export class TerminalSessions {
  readonly #options: SessionsOptions;
  readonly #byTask = new Map<string, Promise<TerminalSession>>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** The task's session, a new one where it has none. Throws what the sandbox throws. */
  async for(context: ToolContext): Promise<FoundSession> {
    const { taskId, signal } = context;
    const present = await this.#present(taskId);
    if (present) return { session: present, isNew: false };
    const known = this.#byTask.get(taskId);
    if (known) return { session: await known, isNew: false };
    const opening = this.#open(context);
    this.#byTask.set(taskId, opening);
    const session = await opening.catch((error: unknown) => {
      this.#forget(taskId, opening);
      throw error;
    });
    void session.ended.then(() => this.#forget(taskId, opening));
    // Keeps V2: whoever released it meanwhile has aborted the call.
    if (signal.aborted) await session.close();
    signal.throwIfAborted();
    return { session, isNew: true };
  }

  /** The session that the task has, or `null`. */
  async find(taskId: string): Promise<TerminalSession | null> {
    return this.#present(taskId);
  }

  /** Ends the task's session with everything in it. Contract: never throws; may be called for a task without one. */
  async release(taskId: string): Promise<void> {
    const known = this.#byTask.get(taskId);
    if (known === undefined) return;
    this.#byTask.delete(taskId);
    try {
      await (await known).close();
    } catch {
      // It was never opened, and whoever asked for it was told.
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byTask.keys()].map((taskId) => this.release(taskId)));
  }

  async #present(taskId: string): Promise<TerminalSession | null> {
    const known = this.#byTask.get(taskId);
    if (known === undefined) return null;
    const session = await known;
    if (!session.isOver) return session;
    this.#forget(taskId, known);
    return null;
  }

  async #open({ workspace, workspaceRoot, clock }: ToolContext): Promise<TerminalSession> {
    const { sandbox, random, maxOutputBytes } = this.#options;
    const word = toHex(random.bytes(WORD_BYTES));
    const program = await sandbox.open({
      workspace,
      ...(workspaceRoot !== undefined && { workspaceRoot }),
      argv: sessionArgv(word),
      channels: MAX_JOBS,
    });
    return new TerminalSession({ program, word, clock, maxOutputBytes });
  }

  #forget(taskId: string, which: Promise<TerminalSession>): void {
    if (this.#byTask.get(taskId) === which) this.#byTask.delete(taskId);
  }
}
