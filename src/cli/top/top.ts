// `troupe top`: the tasks of a box as they are now, with keys to act on them. On a person's terminal a screen of its own;
// elsewhere, and with `--json`, plain snapshots one after the other.

import { linkedAbort } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import type { TroupeApi } from "../../core/api.ts";
import type { Command, Invocation, Outcome } from "../command.ts";
import { connectTo, findTask } from "../connection.ts";
import type { Line } from "../printer.ts";
import { aborted } from "../serve.ts";
import type { ScreenStreams } from "../terminal.ts";
import { collectRecording } from "../replay/collect.ts";
import { RecordingApi } from "../replay/recording-api.ts";
import { RecordingSource } from "../replay/recording-source.ts";
import type { FullScreen } from "./full-screen.ts";
import { LiveBox } from "./live-box.ts";
import { printSnapshots } from "./snapshots.ts";
import { TopView } from "./top-view.ts";

export const top: Command = async (invocation): Promise<Outcome> => {
  const { words, flags, printer, world } = invocation;
  const { api, baseUrl } = await connectTo(invocation);
  const rootId = words[0] === undefined ? undefined : await findTask(api, words[0]);
  const root = rootId === undefined ? {} : { rootId };
  const streams = flags.has("once") || printer.json ? null : world.terminal.screen();
  if (streams === null) return printSnapshots({ invocation, api, once: flags.has("once"), ...root });
  await showTop({ ...screenOptions(invocation, baseUrl), api, streams, ...root });
  return world.signal.aborted ? "interrupted" : "ok";
};

export interface TopOptions {
  readonly api: TroupeApi;
  readonly clock: Clock;
  readonly streams: ScreenStreams;
  /** The server's address. */
  readonly where: string;
  readonly render: (line: Line) => string;
  /** Only this tree; absent shows all. */
  readonly rootId?: string;
  readonly signal: AbortSignal;
}

/** What the screen takes from a command. */
export function screenOptions({ printer, world }: Invocation, where: string) {
  return {
    clock: world.clock,
    signal: world.signal,
    where,
    render: (line: Line): string => printer.render(line, true),
  };
}

/** Takes the whole screen until the person leaves it. Contract: throws what ends a LiveBox; gives the screen back. */
export async function showTop({
  api,
  clock,
  streams,
  where,
  render,
  rootId,
  signal,
}: TopOptions): Promise<void> {
  const link = linkedAbort(signal);
  const { openFullScreen } = await import("./full-screen.ts");
  const screen = await openFullScreen(streams);
  let view: TopView | null = null;
  const box = new LiveBox({
    api,
    clock,
    onChange: () => view?.changed(),
    ...(rootId !== undefined && { rootId }),
  });
  try {
    const onReplay = async (taskId: string): Promise<void> => {
      const recording = await collectRecording(api, { taskId, whole: true, now: clock.now() });
      await showOn(screen, { api: new RecordingApi(recording), clock, where, render, signal: link.signal });
    };
    const onQuit = (): void => link.abort("left");
    view = new TopView({ api, clock, source: box, screen, where, render, onQuit, onReplay });
    await box.run(link.signal);
  } finally {
    view?.close();
    link.release();
    await screen.close();
  }
}

/** The same for a recording: its tasks at one event, with the keys to go to others. */
export async function showRecording({ streams, ...options }: RecordingOptions): Promise<void> {
  const { openFullScreen } = await import("./full-screen.ts");
  const screen = await openFullScreen(streams);
  try {
    await showOn(screen, options);
  } finally {
    await screen.close();
  }
}

export type RecordingOptions = Omit<TopOptions, "api" | "rootId"> & { readonly api: RecordingApi };

/** Contract: resolves when the person comes back or the signal aborts; never rejects; the screen stays open. */
async function showOn(screen: FullScreen, options: Omit<RecordingOptions, "streams">): Promise<void> {
  const { signal, ...rest } = options;
  const link = linkedAbort(signal);
  const source = new RecordingSource(options.api);
  const view = new TopView({ ...rest, source, screen, onQuit: () => link.abort("left") });
  await aborted(link.signal);
  link.release();
  view.close();
}
