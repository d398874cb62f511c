// Other programs as a parameter: what a room that starts one is given. It names no shell: a program is started by its
// list of arguments, with exactly the environment that is said, so that no word of a model and no key of the server
// gets into either by accident.

/** What a program is started with. */
export interface ProcessSpec {
  /** The program, absolute or found by the server's own PATH, and its arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  /** The whole environment of the program: nothing of the server's is added. */
  readonly env: Readonly<Record<string, string>>;
  /** Channels beside stdin, stdout and stderr, both ways each, as the descriptors 3 and up. Default 0. */
  readonly channels?: number;
}

/** How a program ended; `code` is `null` when a signal ended it. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A program that runs, in a process group of its own. */
export interface RunningProcess {
  readonly pid: number;
  /** Resolves once it has ended and its output was read. Contract: never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Hands on what it writes to a descriptor (1 and up); what nobody listens to is read and dropped. */
  onOutput(fd: number, take: (bytes: Uint8Array) => void): void;
  /** Writes to a descriptor: 0, or 3 and up. What an ended program does not read is dropped. */
  write(fd: number, bytes: string | Uint8Array): void;
  /** Bytes, about, that were written to a descriptor and wait here for the program to read on. */
  unread(fd: number): number;
  /** Ends one way of a descriptor: the program reads its end. */
  endInput(fd: number): void;
  /** Kills the process group at once. Contract: may be called again, and after the end. */
  kill(): void;
}

export interface RunOptions extends Omit<ProcessSpec, "argv" | "channels"> {
  /** Kills the process group when it aborts; the run then rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Bytes kept of each output; what comes after them is read and dropped. */
  readonly maxBytes: number;
  readonly input?: string | Uint8Array;
}

export interface RunResult {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** More was written than was kept. */
  readonly truncated: boolean;
}

/** Contract: `start` and `run` reject with the system's error for a program that cannot be started. */
export interface ProcessHost {
  start(spec: ProcessSpec): Promise<RunningProcess>;
  /** Runs a program to its end. Rejects with the signal's reason when that aborts. */
  run(argv: readonly [string, ...string[]], options: RunOptions): Promise<RunResult>;
}

/** The first bytes of an output; memory does not grow with what is written. */
class CappedBytes {
  readonly #most: number;
  readonly #pieces: Uint8Array[] = [];
  #length = 0;
  truncated = false;

  constructor(most: number) {
    this.#most = most;
  }

  add(bytes: Uint8Array): void {
    const room = this.#most - this.#length;
    if (bytes.length > room) this.truncated = true;
    if (room <= 0) return;
    const kept = bytes.slice(0, room);
    this.#pieces.push(kept);
    this.#length += kept.length;
  }

  text(): string {
    const decoder = new TextDecoder();
    const text = this.#pieces.map((piece) => decoder.decode(piece, { stream: true })).join("");
    // A character that the cap cut in two is left out; one that the program itself broke off is shown as broken.
    return this.truncated ? text : text + decoder.decode();
  }
}

export type CollectOptions = Pick<RunOptions, "signal" | "maxBytes" | "input">;

/** What a program comes to that runs to its end. Contract: rejects with the signal's reason alone. */
export async function outputOf(process: RunningProcess, options: CollectOptions): Promise<RunResult> {
  const { signal, maxBytes, input } = options;
  const [stdout, stderr] = [new CappedBytes(maxBytes), new CappedBytes(maxBytes)];
  process.onOutput(1, (bytes) => stdout.add(bytes));
  process.onOutput(2, (bytes) => stderr.add(bytes));
  const kill = (): void => process.kill();
  signal?.addEventListener("abort", kill, { once: true });
  if (signal?.aborted) kill();
  if (input !== undefined) process.write(0, input);
  process.endInput(0);
  const { code } = await process.exited;
  signal?.removeEventListener("abort", kill);
  signal?.throwIfAborted();
  const truncated = stdout.truncated || stderr.truncated;
  return { code, stdout: stdout.text(), stderr: stderr.text(), truncated };
}
