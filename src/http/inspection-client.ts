// The client's side of `/v1/inspect`: one connection, from its greeting to its end. What an actor of Stately's format
// lacks on the wire, its definition, is filled in here.
//
// Q1. Nothing but a TroupeError leaves here. The token goes to the server that was named, in the first message.
// Q2. A reader that falls behind is told so by an error: what it missed cannot be told.

import { ConfigError, InternalError, InvalidRequestError, LimitError } from "../base/errors.ts";
import { PushQueue } from "../base/stream.ts";
import type { MachineMessage, StatelyMessage } from "./inspection-wire.ts";
import { CLOSE } from "./socket-words.ts";

/** Batches that wait for the reader. */
const MAX_BATCHES = 1_000;

/** The members of a WebSocket that are used, on every runtime and in browsers the same. */
export interface ClientSocket {
  send(text: string): void;
  close(): void;
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number }) => void): void;
}

export interface InspectOptions {
  /** Such as `http://127.0.0.1:7433`. */
  readonly baseUrl: string;
  readonly token: string;
  readonly open: (url: string) => ClientSocket;
  readonly signal: AbortSignal;
}

/** A message of Stately's format; of an actor that is a machine, with its `definition`. */
export type WholeMessage = StatelyMessage & { readonly definition?: string };

/** What the machines at work do, until the signal aborts. Throws TroupeErrors only. */
export async function* inspected(options: InspectOptions): AsyncGenerator<WholeMessage> {
  const { signal } = options;
  const batches = dial(options);
  const definitions = new Map<string, string>();
  for await (const batch of batches) {
    for (const message of batch) {
      if (signal.aborted) return;
      if (message.type === "machine") definitions.set(message.name, message.definition);
      else yield whole(message, definitions);
    }
  }
}

type Message = StatelyMessage | MachineMessage;

function whole(message: StatelyMessage, definitions: ReadonlyMap<string, string>): WholeMessage {
  if (message.type !== "@xstate.actor") return message;
  const definition = definitions.get(message.name);
  return definition === undefined ? message : { ...message, definition };
}

function dial({ baseUrl, token, open, signal }: InspectOptions): PushQueue<readonly Message[]> {
  const socket = open(`${baseUrl.replace(/^http/, "ws")}/v1/inspect`);
  const batches = new PushQueue<readonly Message[]>(MAX_BATCHES, () => batches.end(tooSlow()));
  let isOpen = false;
  const leave = (): void => {
    batches.end();
    socket.close();
  };
  signal.addEventListener("abort", leave, { once: true });
  socket.addEventListener("open", () => {
    isOpen = true;
    socket.send(JSON.stringify({ type: "hello", token }));
  });
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as unknown;
    // A server of the same version wrote it; the greeting is no list.
    if (Array.isArray(message)) batches.push(message as readonly Message[]);
  });
  socket.addEventListener("close", ({ code }) => {
    signal.removeEventListener("abort", leave);
    batches.end(isOpen ? endedBy(code, baseUrl) : unreachable(baseUrl));
  });
  return batches;
}

function endedBy(code: number, baseUrl: string): Error {
  if (code === CLOSE.noHello || code === CLOSE.forbidden) {
    return new InvalidRequestError(
      "unauthorized",
      `Expected the token of ${baseUrl} with the scope "read", and it refused the one that it got. Use that server's token.`,
    );
  }
  if (code === CLOSE.tooSlow) return tooSlow();
  return new InternalError("stream_closed", `Expected ${baseUrl} to stay, but it closed the connection.`, {
    details: { code },
  });
}

function tooSlow(): LimitError {
  return new LimitError(
    "too_slow",
    "Expected a reader that keeps up with what the machines do. Connect again.",
  );
}

function unreachable(baseUrl: string): ConfigError {
  return new ConfigError(
    "server_unreachable",
    `Expected a Troupe server at ${baseUrl} that can be inspected, and could not open a WebSocket. Start one with ` +
      "`troupe serve`, or name another address.",
    { details: { base_url: baseUrl } },
  );
}
