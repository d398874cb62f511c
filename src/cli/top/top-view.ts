// `top` at work on a screen: keys go to the state, the state and what is known of the box become a frame, and what a key
// asks of the box is asked. It holds no knowledge of its own.
//
// V1. A key never waits for the box: what it asked for is told when it is there.
// V2. What the box refuses is told on the screen and ends nothing.

import type { Clock, Timer } from "../../base/clock.ts";
import { toTroupeError } from "../../base/errors.ts";
import type { TreeNode, TroupeApi } from "../../core/api.ts";
import type { BoxStatus, GpuView, ProviderView } from "../../core/box-api.ts";
import { shortId } from "../connection.ts";
import type { Line } from "../printer.ts";
import { counted, receiptText } from "../task-lines.ts";
import { bodyRows, frameOf, type Liveness, type Scene } from "./frame.ts";
import type { FullScreen } from "./full-screen.ts";
import { needsOf } from "./needs.ts";
import { detailLines, outputLines } from "./panel-lines.ts";
import { taskRows, type TaskRow } from "./task-rows.ts";
import { TaskWatch } from "./task-watch.ts";
import { FIRST_STATE, press, selectedIndex, type Intent, type Key, type TopState } from "./top-state.ts";

/** What is known of a box, or of a recording at one of its events. */
export interface TopSource {
  readonly nodes: readonly TreeNode[];
  readonly gpus: readonly GpuView[];
  readonly providers: readonly ProviderView[];
  readonly status: BoxStatus | null;
  readonly liveness: Liveness;
  lookSoon(): void;
  /** Goes to another event; for a recording alone. */
  step?(by: number | "first" | "last"): void;
}

export interface TopViewOptions {
  readonly api: TroupeApi;
  readonly clock: Clock;
  readonly source: TopSource;
  readonly screen: FullScreen;
  /** The server's address, or the file. */
  readonly where: string;
  /** Writes a line as it is shown there. */
  readonly render: (line: Line) => string;
  readonly onQuit: () => void;
  /** Shows what happened to a task on the same screen, and resolves when the person comes back. */
  readonly onReplay?: (taskId: string) => Promise<void>;
}

/** Changes that come close together are drawn once. */
const FRAME_MS = 60;
/** Times go on where nothing happens. */
const TICK_MS = 1_000;

export class TopView {
  readonly #options: TopViewOptions;
  #state: TopState = FIRST_STATE;
  #watch: TaskWatch | null = null;
  #rows: { readonly of: readonly unknown[]; readonly rows: readonly TaskRow[] } | null = null;
  #frame: Timer | null = null;
  #tick: Timer | null = null;
  #closed = false;
  /** Something else has the screen. */
  #covered = false;

  constructor(options: TopViewOptions) {
    this.#options = options;
    options.screen.listen({ onKey: (key) => this.#press(key), onResize: () => this.draw() });
    this.draw();
  }

  /** Something to show has changed. */
  changed(): void {
    if (this.#closed) return;
    this.#frame ??= this.#options.clock.after(FRAME_MS, () => this.draw());
  }

  draw(): void {
    this.#frame?.cancel();
    this.#frame = null;
    this.#tick?.cancel();
    if (this.#closed || this.#covered) return;
    const { clock, screen, render } = this.#options;
    this.#tick = clock.after(TICK_MS, () => this.draw());
    this.#watchWhatIsOpen();
    screen.draw(frameOf(this.#scene(), screen.room()).map(render));
  }

  /** Lets go of the screen and of what is watched; the screen stays open. */
  close(): void {
    this.#closed = true;
    this.#frame?.cancel();
    this.#tick?.cancel();
    this.#watch?.close();
    this.#options.screen.listen(null);
  }

  get #shownRows(): readonly TaskRow[] {
    const { nodes } = this.#options.source;
    const { filter, folded } = this.#state;
    const of = [nodes, filter, folded];
    // Thousands of tasks are laid out again only when they, or what is asked of them, changed.
    if (this.#rows === null || this.#rows.of.some((each, index) => each !== of[index]))
      this.#rows = { of, rows: taskRows(nodes, { filter, folded }) };
    return this.#rows.rows;
  }

  #scene(): Scene {
    const { source, where, clock, screen } = this.#options;
    const { nodes, gpus, status, liveness } = source;
    const now = liveness.kind === "recording" ? liveness.time : clock.now();
    const panel = this.#panel(now, screen.room().columns);
    const rows = this.#shownRows;
    return {
      where,
      now,
      live: liveness,
      nodes,
      rows,
      gpus,
      status,
      needs: needsOf(source),
      state: this.#state,
      panel,
    };
  }

  #panel(now: number, columns: number): readonly Line[] {
    const watch = this.#watch;
    if (watch === null) return [];
    if (watch.view === null && watch.trouble !== null) return [[["red", watch.trouble]]];
    return this.#state.panel === "detail" ? detailLines(watch.view, now) : outputLines(watch.output, columns);
  }

  /** Watches the task of an open panel, and nothing else. */
  #watchWhatIsOpen(): void {
    const rows = this.#shownRows;
    const isOpen = this.#state.panel === "detail" || this.#state.panel === "tail";
    const taskId = isOpen ? rows[selectedIndex(this.#state, rows)]?.node.taskId : undefined;
    if (this.#watch?.taskId === taskId) return;
    this.#watch?.close();
    const { api, clock } = this.#options;
    this.#watch =
      taskId === undefined ? null : new TaskWatch({ api, clock, taskId, onChange: () => this.changed() });
  }

  #press(key: Key): void {
    const { screen, source } = this.#options;
    const { state, intent } = press(this.#state, key, {
      rows: this.#shownRows,
      page: Math.max(
        1,
        bodyRows({ gpus: source.gpus, needs: needsOf(source), live: source.liveness }, screen.room()) - 1,
      ),
      recording: source.liveness.kind === "recording",
    });
    this.#state = state;
    if (intent?.kind === "quit") return this.#options.onQuit();
    if (intent?.kind === "step") {
      source.step?.(intent.by);
      // What is open is of another moment now.
      this.#watch?.close();
      this.#watch = null;
    }
    this.draw();
    // Keeps V1 and V2.
    if (intent !== null && intent.kind !== "step")
      void this.#ask(intent).then((notice) => this.#tell(notice));
  }

  async #replay(taskId: string): Promise<null> {
    const { screen, onReplay } = this.#options;
    if (onReplay === undefined || this.#covered) return null;
    this.#covered = true;
    const mine = screen.listen(null);
    try {
      await onReplay(taskId);
    } finally {
      this.#covered = false;
      if (!this.#closed) screen.listen(mine);
    }
    return null;
  }

  #tell(notice: string | null): void {
    if (this.#closed) return;
    this.#state = { ...this.#state, notice };
    this.#options.source.lookSoon();
    this.draw();
  }

  /** What became of it, in words. Contract: never rejects. */
  async #ask(intent: Exclude<Intent, { readonly kind: "quit" | "step" }>): Promise<string | null> {
    const { api, source } = this.#options;
    try {
      switch (intent.kind) {
        case "replay":
          return await this.#replay(intent.taskId);
        case "pause": {
          const { paused } = await api.pause(source.status?.paused !== true);
          return paused ? "Spawning is paused: new tasks are accepted and wait." : "Spawning goes on.";
        }
        case "answer":
          return receiptText(
            await api.answer(intent.taskId, {
              text: intent.text,
              ...(intent.asked !== undefined && { asked: intent.asked }),
            }),
          );
        case "steer": {
          const isSession = intent.taskId.startsWith("ses_");
          return receiptText(
            isSession
              ? await api.sendMessage(intent.taskId, { text: intent.text })
              : await api.steer(intent.taskId, { message: intent.text }),
          );
        }
        case "cancel": {
          const { cancelled, state } = await api.cancel(intent.taskId);
          return cancelled.length === 0
            ? `${shortId(intent.taskId)} had ended already (${state}).`
            : `${counted(cancelled.length, "task")} being cancelled.`;
        }
      }
    } catch (thrown) {
      return toTroupeError(thrown).message;
    }
  }
}
