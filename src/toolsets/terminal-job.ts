// A command that goes on beside the others: what is known of it, and what it wrote since somebody looked.

import { CappedOutput, type TakenOutput } from "./terminal-output.ts";

export class TerminalJob {
  readonly id: number;
  readonly #output: CappedOutput;
  /** Resolves when it runs, or never will. */
  readonly started: Promise<void>;
  #begin: () => void = () => {};
  #pid: number | null = null;
  #feeder: number | null = null;
  #exitCode: number | null = null;
  #running = true;
  readonly #waiting = new Set<() => void>();

  constructor(id: number, maxOutputBytes: number) {
    this.id = id;
    this.#output = new CappedOutput(maxOutputBytes);
    this.started = new Promise((resolve) => (this.#begin = resolve));
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** `null` while it runs, and when the whole session ended. */
  get exitCode(): number | null {
    return this.#exitCode;
  }

  /** The number of its process group inside the sandbox. */
  get pid(): number | null {
    return this.#pid;
  }

  /** The process inside that hands its input on: when it is gone, the input is over. */
  get feeder(): number | null {
    return this.#feeder;
  }

  get hasOutput(): boolean {
    return this.#output.length > 0;
  }

  take(): TakenOutput {
    return this.#output.take();
  }

  write(bytes: Uint8Array): void {
    this.#output.write(bytes);
    this.#tell();
  }

  /** A mark on its channel. */
  heard(kind: string, [first = 0, second = 0]: readonly number[]): void {
    if (kind === "started") {
      this.#pid = first;
      this.#feeder = second;
      this.#begin();
    } else if (kind === "ended") {
      this.#exitCode = first;
      this.lost();
    }
  }

  /** It does not run any more. Contract: may be called again. */
  lost(): void {
    this.#running = false;
    this.#begin();
    this.#tell();
  }

  /** Calls once something of it changes; returns how to stop that. */
  onChange(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  #tell(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const callback of waiting) callback();
  }
}
