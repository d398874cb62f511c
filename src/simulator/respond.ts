// Streams over HTTP: the response, and with it the headers, is made only when the first piece exists, as Ollama does;
// the generation ends with the client's connection, before the headers as well as after.
//
// H1. No response exists before its first piece: what fails until then has a status of its own.
// H2. When the client goes, the generation's signal aborts and its slot is free.

import { CancelledError } from "../base/errors.ts";
import { isServerGone, serverGone } from "./faults.ts";

/** The connection of one request, as a signal that a generation can stand on. */
export interface ClientGone {
  readonly signal: AbortSignal;
  /** Ends the generation; for when the body is cancelled without the request's own signal firing. */
  abort(): void;
}

/** A signal that aborts with an Error when the request's connection closes, whatever the server's adapter gives. */
export function clientGone(request: Request): ClientGone {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new CancelledError("request canceled"));
  if (request.signal.aborted) abort();
  else request.signal.addEventListener("abort", abort, { once: true });
  return { signal: controller.signal, abort };
}

/**
 * What a handler can do for a server that is down: headers, and a connection that breaks. Refusing the connection is
 * its owner's business, who closes the socket for that time.
 */
export function brokenConnection(): Response {
  const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(serverGone()) });
  // An adapter that may look into the body first would make a tidy answer of the failure.
  return new Response(body, { headers: { "transfer-encoding": "chunked" } });
}

/** How a stream is labelled and how it ends when it fails. */
export interface StreamOptions {
  readonly contentType: string;
  readonly client: ClientGone;
  /** The last piece of a stream that fails half-way; the status is long gone. */
  readonly onError: (error: unknown) => string;
}

/**
 * A streaming response from pieces of text.
 * Contract: rejects with whatever the first piece rejects with (H1).
 */
export async function streamed(pieces: AsyncGenerator<string>, options: StreamOptions): Promise<Response> {
  // One that has given a piece which nobody takes any more hears no signal: it is ended where it stands (keeps H2).
  const leave = (): void => void pieces.return(undefined).catch(() => {});
  options.client.signal.addEventListener("abort", leave, { once: true });
  const first = await pieces.next();
  const encoder = new TextEncoder();
  let waiting: IteratorResult<string> | null = first;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const piece = waiting ?? (await pieces.next());
        waiting = null;
        if (piece.done) controller.close();
        else controller.enqueue(encoder.encode(piece.value));
      } catch (error) {
        if (isServerGone(error)) return controller.error(error);
        // A failed body would make the server's adapter log it as its own failure.
        if (!options.client.signal.aborted) controller.enqueue(encoder.encode(options.onError(error)));
        controller.close();
      }
    },
    cancel: () => options.client.abort(), // keeps H2
  });
  return new Response(body, { headers: { "content-type": options.contentType } });
}
