// A terminal without a person: a real implementation of the contract over memory, and a world around it.

import { systemClock, type Clock } from "../../src/base/clock.ts";
import { PushQueue } from "../../src/base/stream.ts";
import { openScreen, plainConversation } from "../../src/cli/conversation.ts";
import { runInterruptibly } from "../../src/cli/main.ts";
import type { ScreenStreams, Terminal } from "../../src/cli/terminal.ts";
import { worldOf, type CliWorld } from "../../src/cli/world.ts";
import { Watchers } from "./watchers.ts";

export interface ScriptedTerminalOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly platform?: string;
  readonly runtime?: Terminal["runtime"];
  /** Whether stdout and stderr go to a person's screen. */
  readonly isScreen?: boolean;
  /** Both sides of a screen that a program may draw on as a whole. */
  readonly streams?: ScreenStreams;
}

export class ScriptedTerminal implements Terminal {
  readonly args: readonly string[] = [];
  readonly program = "troupe";
  readonly env: Terminal["env"];
  readonly cwd: string;
  readonly platform: string;
  readonly runtime: Terminal["runtime"];
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly inIsTerminal = false;
  out = "";
  err = "";
  /** The exit codes of `leave`. */
  readonly left: number[] = [];
  readonly #streams: ScreenStreams | null;
  readonly #input = new PushQueue<Uint8Array>(1_000);
  readonly #handlers = new Set<() => void>();
  readonly #watchers = new Watchers();

  constructor(options: ScriptedTerminalOptions = {}) {
    this.env = options.env ?? {};
    this.cwd = options.cwd ?? "/tmp";
    this.platform = options.platform ?? "linux";
    this.runtime = options.runtime ?? { name: "Node.js", version: "26.0.0" };
    this.outIsTerminal = options.isScreen ?? false;
    this.errIsTerminal = options.isScreen ?? false;
    this.#streams = options.streams ?? null;
  }

  columns(): number {
    return 80;
  }

  rows(): number {
    return 24;
  }

  writeOut(text: string): void {
    this.out += text;
    this.#watchers.look();
  }

  writeErr(text: string): void {
    this.err += text;
    this.#watchers.look();
  }

  input(): AsyncIterable<Uint8Array> {
    return this.#input;
  }

  screen(): ScreenStreams | null {
    return this.#streams;
  }

  converse(prompt = "> "): ReturnType<Terminal["converse"]> {
    const { input, output } = this.#streams ?? {};
    if (input !== undefined && output !== undefined)
      return openScreen({ input, output, prompt, onInterrupt: () => this.pressCtrlC() });
    return plainConversation({ input: this.#input, writeOut: (text) => this.writeOut(text) });
  }

  onInterrupt(handler: () => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  async leave(exitCode: number): Promise<void> {
    this.left.push(exitCode);
    this.#watchers.look();
  }

  type(text: string): void {
    this.#input.push(new TextEncoder().encode(text));
  }

  endInput(): void {
    this.#input.end();
  }

  pressCtrlC(): void {
    for (const handler of this.#handlers) handler();
  }

  /** Resolves once what was written satisfies the test. */
  until(holds: (terminal: this) => boolean): Promise<void> {
    return this.#watchers.until(() => holds(this));
  }

  get lines(): readonly string[] {
    return this.out.split("\n").slice(0, -1);
  }
}

export function worldFor(terminal: Terminal, rest: Partial<CliWorld> = {}): CliWorld {
  return { ...worldOf(terminal, new AbortController().signal), ...rest };
}

/** One command line in this process, with its Ctrl-C. */
export function runLine(
  args: readonly string[],
  terminal: ScriptedTerminal,
  clock: Clock = systemClock,
): Promise<number> {
  return runInterruptibly(args, terminal, (own, signal) => worldOf(own, signal, clock));
}
