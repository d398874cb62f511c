// Programs by node:child_process, which Node, Bun and Deno have alike. Each is the head of a process group of its own,
// so that a kill reaches what it started; what leaves that group must be held by a sandbox.

import { spawn, type ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { outputOf } from "./process.ts";
import type { ProcessExit, ProcessHost, ProcessSpec, RunningProcess } from "./process.ts";

/** How long output of a killed program is waited for that somebody outside of its group still holds open. */
const LAST_OUTPUT_MS = 200;

/** A program that never stops writing (`yes`) would have all of this process's time: at most 200 MB/s are read of it. */
const BREATH_BYTES = 1024 * 1024;
const BREATH_MS = 5;

class NodeProcess implements RunningProcess {
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  #over = false;

  constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    this.exited = this.#ended();
    for (const [fd, stream] of child.stdio.entries()) {
      // A program that ends while it is written to breaks the pipe, which is no news: its exit tells.
      stream?.on("error", () => {});
      // Unread output would keep a full pipe waiting. Later: in Bun it flows at once, before anybody could listen.
      // Input is not read: Deno would take that for its end.
      if (fd > 0) setImmediate(() => (stream as Readable | null)?.resume());
    }
  }

  onOutput(fd: number, take: (bytes: Uint8Array) => void): void {
    const stream = this.#child.stdio[fd] as Readable | null;
    let taken = 0;
    stream?.on("data", (bytes: Uint8Array) => {
      take(bytes);
      taken += bytes.length;
      if (taken < BREATH_BYTES) return;
      taken = 0;
      stream.pause();
      setTimeout(() => stream.resume(), BREATH_MS);
    });
  }

  write(fd: number, bytes: string | Uint8Array): void {
    const stream = this.#child.stdio[fd] as Writable | null | undefined;
    if (!this.#over && stream?.writable) stream.write(bytes);
  }

  unread(fd: number): number {
    return this.#over ? 0 : ((this.#child.stdio[fd] as Writable | null | undefined)?.writableLength ?? 0);
  }

  endInput(fd: number): void {
    (this.#child.stdio[fd] as Writable | null)?.end();
  }

  kill(): void {
    // Once it is waited for, its number may be another's.
    if (this.#over) return;
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // Everything of the group has ended already.
    }
  }

  #ended(): Promise<ProcessExit> {
    return new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => {
        this.#over = true;
        const done = (): void => {
          clearTimeout(late);
          for (const stream of this.#child.stdio) stream?.destroy();
          resolve({ code, signal });
        };
        // After what has arrived meanwhile was read: where the process was busy for so long, both are due at once.
        const late = setTimeout(() => setImmediate(done), LAST_OUTPUT_MS);
        this.#child.once("close", done);
      });
    });
  }
}

function start({ argv, cwd, env, channels = 0 }: ProcessSpec): Promise<RunningProcess> {
  const [program, ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      ...(cwd !== undefined && { cwd }),
      env: { ...env },
      detached: true,
      stdio: Array.from({ length: 3 + channels }, () => "pipe" as const),
    });
    child.once("error", reject);
    child.once("spawn", () => {
      child.removeListener("error", reject);
      child.on("error", () => {});
      resolve(new NodeProcess(child, child.pid as number));
    });
  });
}

/** The programs of this machine. */
export const nodeProcesses: ProcessHost = {
  start,
  async run(argv, options) {
    const { signal, maxBytes, input, ...rest } = options;
    signal?.throwIfAborted();
    const process = await start({ ...rest, argv });
    return outputOf(process, { maxBytes, ...(signal && { signal }), ...(input !== undefined && { input }) });
  },
};
