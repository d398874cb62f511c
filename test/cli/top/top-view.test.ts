import { expect, test } from "vitest";
import { Printer } from "../../../src/cli/printer.ts";
import type { Liveness } from "../../../src/cli/top/frame.ts";
import type { FullScreen, ScreenListener } from "../../../src/cli/top/full-screen.ts";
import type { Key } from "../../../src/cli/top/top-state.ts";
import { TopView, type TopSource } from "../../../src/cli/top/top-view.ts";
import { ScriptedTerminal } from "../scripted-terminal.ts";
import { breakableRig } from "./breakable-api.ts";
import { STATUS } from "./nodes.ts";

/** A screen that keeps what was drawn last. */
class PaperScreen implements FullScreen {
  lines: readonly string[] = [];
  frames = 0;
  listener: ScreenListener | null = null;
  size = { columns: 100, rows: 24 };

  room() {
    return this.size;
  }

  draw(lines: readonly string[]): void {
    this.lines = lines;
    this.frames += 1;
  }

  listen(listener: ScreenListener | null): ScreenListener | null {
    const before = this.listener;
    this.listener = listener;
    return before;
  }

  async close(): Promise<void> {}

  press(...keys: readonly (Key["name"] | `'${string}`)[]): void {
    for (const key of keys)
      this.listener?.onKey(
        key.startsWith("'") ? { name: "text", text: key.slice(1) } : ({ name: key } as Key),
      );
  }

  get last(): string {
    return this.lines.at(-1) ?? "";
  }
}

async function rig() {
  const { api, clock } = breakableRig();
  const root = await api.delegate({ goal: "parent" });
  const child = await api.delegate({ goal: "child", parentId: root.taskId });
  api.start(root.taskId);
  api.start(child.taskId);
  const printer = new Printer(new ScriptedTerminal({ env: { NO_COLOR: "1" } }), false);
  const screen = new PaperScreen();
  const steps: unknown[] = [];
  let nodes = await api.tree();
  let quits = 0;
  let recording = false;
  const source: TopSource = {
    get nodes() {
      return nodes;
    },
    get liveness(): Liveness {
      return recording ? { kind: "recording", at: 1, of: 2, time: clock.now(), what: "" } : { kind: "live" };
    },
    gpus: [],
    providers: [],
    status: STATUS,
    lookSoon: () => {},
    step: (by) => void steps.push(by),
  };
  const view = new TopView({
    api,
    clock,
    source,
    screen,
    where: "here",
    render: (line) => printer.render(line, true),
    onQuit: () => void (quits += 1),
  });
  const look = async (): Promise<void> => {
    nodes = await api.tree();
    view.changed();
    await clock.advance(100);
  };
  return {
    api,
    clock,
    screen,
    view,
    look,
    root,
    child,
    steps,
    quits: () => quits,
    record: () => (recording = true),
  };
}

test("draws at once, once for changes that come together, and each second for the times", async () => {
  const { clock, screen, view } = await rig();
  expect([screen.frames, screen.lines.length]).toEqual([1, 24]);
  expect(screen.lines.join("\n")).toContain("└─task_");
  for (let at = 0; at < 50; at += 1) view.changed();
  await clock.advance(100);
  expect(screen.frames).toBe(2);
  await clock.advance(3_000);
  expect(screen.frames).toBe(5);
  screen.size = { columns: 40, rows: 10 };
  screen.listener?.onResize();
  expect(screen.lines).toHaveLength(10);
  view.close();
  await clock.advance(5_000);
  expect([screen.frames, clock.pending, screen.listener]).toEqual([6, 0, null]);
});

test("a steer, a pause and a cancel reach the box, and what became of them is told", async () => {
  const { api, clock, screen, root, child, look, view } = await rig();
  screen.press("'s", "'look there", "enter");
  await clock.advance(0);
  expect(screen.last).toMatch(/^\S+ (queued|delivered)/);
  expect((await api.check(root.taskId)).steers).toHaveLength(1);
  screen.press("'p");
  await clock.advance(0);
  expect(screen.last).toMatch(/^Spawning is paused/);
  expect((await api.status()).paused).toBe(true);
  screen.press("'c");
  expect(screen.last).toBe("1 task below it would end too: C cancels them all, after a question.");
  screen.press("'C", "'y");
  await clock.advance(0);
  expect(screen.last).toBe("2 tasks being cancelled.");
  await look();
  expect((await api.check(child.taskId)).state).toBe("cancelled");
  view.close();
});

test("V2 what the box refuses is told and ends nothing", async () => {
  const { api, clock, screen, root, view, quits } = await rig();
  api.finish(root.taskId, "done");
  screen.press("'s", "'too late", "enter");
  await clock.advance(0);
  expect(screen.last).toMatch(/^Expected a task that runs, but .* is done/);
  screen.press("'q");
  expect(quits()).toBe(1);
  view.close();
});

test("detail and tail are of the selected task, and watched only while they are open", async () => {
  const { clock, screen, child, view } = await rig();
  screen.press("down", "enter");
  await clock.advance(100);
  expect(screen.lines.join("\n")).toContain(`task       ${child.taskId}`);
  screen.press("escape", "'t");
  await clock.advance(100);
  expect(screen.lines.join("\n")).toContain("It has written nothing yet.");
  screen.press("'t");
  await clock.advance(2_000);
  view.close();
  expect(clock.pending).toBe(0);
});

test("a recording is stepped through by the source", async () => {
  const { screen, steps, record, view } = await rig();
  record();
  screen.press("right", "'g", "'s");
  expect(steps).toEqual([1, "first"]);
  expect(screen.last).toBe("This is a recording: it can only be looked at.");
  view.close();
});
