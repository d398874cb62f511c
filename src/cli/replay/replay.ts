// `troupe replay`: a recording looked at again, in the dashboard or in a terminal. It serves on this machine only, with a
// token of its own, and ends with Ctrl-C; nothing in the file starts, opens or sends anything.

import { resolve } from "node:path";
import { silentLogger } from "../../base/log.ts";
import { listen } from "../../listen.ts";
import { newToken } from "../../http/token.ts";
import type { Command, Invocation, Outcome } from "../command.ts";
import { usageError } from "../flags.ts";
import { aborted, dashboardAddress } from "../serve.ts";
import { counted } from "../task-lines.ts";
import { screenOptions, showRecording } from "../top/top.ts";
import { readRecording } from "./read-recording.ts";
import { RecordingApi } from "./recording-api.ts";

const THIS_MACHINE = "127.0.0.1";

export const replay: Command = async (invocation): Promise<Outcome> => {
  const { words, flags, world } = invocation;
  const file = words[0] as string;
  const api = new RecordingApi(await readRecording(resolve(world.cwd, file)));
  if (!flags.has("terminal")) return serveRecording(invocation, api);
  const streams = world.terminal.screen();
  if (streams === null)
    throw usageError("Expected a terminal for --terminal: what is typed and what is shown, both.");
  await showRecording({ ...screenOptions(invocation, file), api, streams });
  return world.signal.aborted ? "interrupted" : "ok";
};

/** Shows it in the dashboard until Ctrl-C. */
async function serveRecording({ flags, printer, world }: Invocation, api: RecordingApi): Promise<Outcome> {
  const token = newToken(world.random);
  const served = await listen({
    host: THIS_MACHINE,
    port: flags.integer("port", { least: 0, most: 65_535 }) ?? 0,
    token,
    world,
    allowedHosts: [],
    allowedOrigins: [],
    insecureAllowRemote: false,
  });
  try {
    served.open({ as: () => api, logger: silentLogger });
    const { url } = served.listening;
    const { tasks, events } = api.recording;
    printer.document({ url, token, tasks: tasks.length, events: events.length });
    printer.note(
      `A recording of ${counted(tasks.length, "task")} and ${counted(events.length, "event")}; it can only be looked at.`,
    );
    printer.note([["bold", dashboardAddress(url, token)], "; Ctrl-C ends it."]);
    await aborted(world.signal);
  } finally {
    await served.close();
  }
  return "ok";
}
