// `troupe inspect`: what the machines at work do, a line each; with `--stately` a page of this machine that shows it in
// Stately's Inspector, which is a page of the internet.

import { toHex } from "../base/ids.ts";
import { serve } from "../base/listen.ts";
import { type ClientSocket, inspected, type WholeMessage } from "../http/inspection-client.ts";
import type { Command, Invocation } from "./command.ts";
import { connectTo } from "./connection.ts";
import { oneLine } from "./printable.ts";
import { statelyBridge } from "./stately-bridge.ts";

const SECRET_BYTES = 16;
const NAME_CHARS = 80;

type Feed = (signal: AbortSignal) => AsyncIterable<WholeMessage>;

export const inspect: Command = async (invocation) => {
  const { flags, printer, world } = invocation;
  const { baseUrl, token } = await connectTo(invocation);
  const open = (url: string): ClientSocket => new WebSocket(url);
  const feed: Feed = (signal) => inspected({ baseUrl, token, open, signal });
  if (flags.has("stately")) return showStately(invocation, feed);
  for await (const message of feed(world.signal)) {
    printer.document(message);
    printer.data(messageLine(message));
  }
  return "interrupted";
};

/** Contract: pure; a message as one line. */
export function messageLine(message: WholeMessage): string {
  const who = oneLine(message.sessionId, NAME_CHARS);
  if (message.type === "@xstate.event") return `${who}  <- ${oneLine(message.event.type, NAME_CHARS)}`;
  const { status, value } = message.snapshot;
  const state = value === undefined ? status : oneLine(JSON.stringify(value), NAME_CHARS);
  const what = message.type === "@xstate.actor" ? `${oneLine(message.name, NAME_CHARS)} ` : "";
  return `${who}  ${what}${state}`;
}

async function showStately({ printer, world }: Invocation, feed: Feed): Promise<"ok"> {
  const secret = toHex(world.random.bytes(SECRET_BYTES));
  const onProblem = (error: unknown): void =>
    printer.warn(error instanceof Error ? error.message : "The feed has ended.");
  const bridge = statelyBridge({ secret, feed, onProblem });
  const server = await serve(bridge, { hostname: "127.0.0.1", port: 0 });
  try {
    const url = `${server.url}/${secret}`;
    printer.document({ url });
    printer.data(url);
    printer.note("Open that page in a browser of this machine; it needs the internet. Ctrl-C ends it.");
    printer.note(
      "What it passes to stately.ai: ids, states and kinds of events. No text, no input, no result.",
    );
    await new Promise<void>((resolve) => {
      if (world.signal.aborted) resolve();
      else world.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    return "ok";
  } finally {
    await server.close();
  }
}
