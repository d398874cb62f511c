// Puts the demo before a person's eyes: redrawn in place on a terminal, appended as plain text through a pipe. It only
// shows; the story neither waits for it nor depends on it.
//
// V1. On a terminal, a frame replaces the one before, also after a resize; the cursor comes back at the end.
// V2. Through a pipe every entry is written once, when it is finished, and nothing is ever erased.
// V3. Frames go on while nobody answers, with what was seen last.

import { linkedAbort } from "../base/abort.ts";
import { delay, type Clock } from "../base/clock.ts";
import type { TaskApi, TreeNode } from "../core/api.ts";
import type { DemoBox } from "./demo-box.ts";
import type { Entry } from "./demo-facts.ts";
import type { DemoRecord } from "./demo-record.ts";
import { entryLines, frameOf, SCRIPTED_NOTE, treeLines, type Room } from "./demo-screen.ts";
import type { DemoWatch } from "./demo-watch.ts";
import type { Line } from "./printer.ts";
import type { Terminal } from "./terminal.ts";

export interface ShowOptions {
  readonly box: Pick<DemoBox, "title" | "server">;
  readonly api: TaskApi;
  readonly record: DemoRecord;
  readonly watch: DemoWatch;
  readonly clock: Clock;
  readonly terminal: Pick<Terminal, "columns" | "rows">;
  /** Writes one line as it is shown there. */
  readonly render: (line: Line) => string;
  /** Why nobody can be asked now, in words; `null` while somebody answers. */
  readonly outage: () => string | null;
  readonly write: (text: string) => void;
}

export interface Show {
  /** Shows until the signal aborts. Contract: never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** The last look, after which the terminal is as it was. */
  end(): Promise<void>;
}

const FRAME_MS = 100;
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const CLEAR_LINE = "\u001b[K";
const CLEAR_DOWN = "\u001b[J";
const CLEAR_SCREEN = "\u001b[2J\u001b[H";

async function treeOf({ api, record }: ShowOptions): Promise<TreeNode | null> {
  const [tree] = await api.tree(record.sessionId);
  return tree ?? null;
}

/** For a terminal (keeps V1). */
export class LiveShow implements Show {
  readonly #options: ShowOptions;
  readonly #since: number;
  #drawn = 0;
  #room: Room | null = null;
  #tree: TreeNode | null = null;
  /** The look that is under way. */
  #looking: Promise<void> | null = null;

  constructor(options: ShowOptions) {
    this.#options = options;
    this.#since = options.clock.monotonic();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { write, clock } = this.#options;
    write(HIDE_CURSOR);
    try {
      while (!signal.aborted) {
        await this.#draw();
        await delay(clock, FRAME_MS, signal);
      }
    } catch {
      // The signal has ended the pause; what broke the session breaks the story too, which says so.
    }
  }

  async end(): Promise<void> {
    await this.#draw().catch(() => {});
    this.#options.write(SHOW_CURSOR);
  }

  async #draw(): Promise<void> {
    const { box, record, clock, terminal, render, write, outage } = this.#options;
    await this.#look();
    // The last row stays free: a newline on it would scroll the frame away from where it is redrawn.
    const room = { columns: terminal.columns(), rows: terminal.rows() - 1 };
    const { entries, typed } = record;
    const frame = frameOf(
      {
        ...box,
        entries,
        typed,
        tree: this.#tree,
        outage: outage(),
        elapsedMs: clock.monotonic() - this.#since,
      },
      room,
    );
    const resized =
      this.#room !== null && (this.#room.columns !== room.columns || this.#room.rows !== room.rows);
    const back = resized ? CLEAR_SCREEN : this.#drawn > 0 ? `\u001b[${this.#drawn}A\r` : "";
    write(`${back}${frame.map((line) => `${render(line)}${CLEAR_LINE}\n`).join("")}${CLEAR_DOWN}`);
    this.#drawn = frame.length;
    this.#room = room;
  }

  /** Looks at the tree. What takes longer than a frame is shown when it is there (keeps V3). */
  async #look(): Promise<void> {
    const seen = (this.#looking ??= treeOf(this.#options)
      .then((tree) => void (this.#tree = tree))
      .finally(() => (this.#looking = null)));
    seen.catch(() => {});
    const late = linkedAbort();
    await Promise.race([seen, delay(this.#options.clock, FRAME_MS, late.signal).catch(() => {})]);
    late.abort("in time");
  }
}

/** For a pipe (keeps V2). */
export class PlainShow implements Show {
  readonly #options: ShowOptions;
  readonly #shown = new Set<Entry>();
  #writing: Promise<void> = Promise.resolve();

  constructor(options: ShowOptions) {
    this.#options = options;
    for (const line of [options.box.title, SCRIPTED_NOTE, ""]) this.#line(line);
  }

  run(signal: AbortSignal): Promise<void> {
    this.#options.watch.onChange(() => {
      if (!signal.aborted) this.#catchUp();
    });
    return Promise.resolve();
  }

  async end(): Promise<void> {
    this.#catchUp();
    await this.#writing;
  }

  /** One at a time, so that a tree stands under the entry that changed it. */
  #catchUp(): void {
    for (const entry of this.#options.record.entries) {
      if (!entry.done || this.#shown.has(entry)) continue;
      this.#shown.add(entry);
      this.#writing = this.#writing.then(() => this.#append(entry)).catch(() => {});
    }
  }

  async #append(entry: Entry): Promise<void> {
    const columns = this.#options.terminal.columns();
    for (const line of entryLines(entry, columns)) this.#line(line);
    const tree = entry.tree ? await treeOf(this.#options) : null;
    if (tree === null) return;
    const rows = 1 + 2 * tree.children.length;
    for (const line of ["", ...treeLines(tree, { columns, rows }), ""]) this.#line(line);
  }

  #line(line: Line): void {
    this.#options.write(`${this.#options.render(line)}\n`);
  }
}
