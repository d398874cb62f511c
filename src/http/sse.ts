// Server-sent events as text (WHATWG HTML §9.2): writing one message, and reading messages from chunks.
// Nothing here knows what the messages mean. Shared by server and client.

import { TroupeError, InternalError } from "../base/errors.ts";
import { lines } from "../base/stream.ts";

export interface SseMessage {
  /** `message` when the stream named none. */
  readonly event: string;
  readonly data: string;
  /** Present only on messages that carry one. */
  readonly id?: string;
}

/** Characters of one line that a reader accepts: a stored event with the largest tool input, and room to spare. */
const MAX_LINE_CHARS = 8_000_000;

/** The text of one message. `event` and `id` must not hold line breaks; they never come from users. */
export function formatMessage(message: { event: string; data: string; id?: string }): string {
  const id = message.id === undefined ? "" : `id: ${oneLine(message.id)}\n`;
  // JSON holds no raw line break, yet splitting keeps any text from forging a field.
  const data = message.data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `${id}event: ${oneLine(message.event)}\n${data.join("")}\n`;
}

/** A line that readers skip; it keeps proxies and watchdogs from giving up. */
export function formatComment(text: string): string {
  return `: ${oneLine(text)}\n\n`;
}

function oneLine(text: string): string {
  return text.replace(/[\r\n\0]/g, " ");
}

/**
 * The messages of a stream.
 * Contract: yields complete messages only; calls `onLine` for each line, comments too, so that a watchdog sees life;
 * throws what the chunks throw, and InternalError `stream_line_too_long`.
 */
export async function* parseMessages(
  chunks: AsyncIterable<Uint8Array>,
  onLine: () => void,
): AsyncGenerator<SseMessage> {
  let event = "";
  let id: string | undefined;
  let data: string[] = [];
  for await (const line of lines(chunks, { maxChars: MAX_LINE_CHARS, onTooLong: lineTooLong })) {
    onLine();
    if (line === "") {
      if (data.length > 0) {
        const message = { event: event === "" ? "message" : event, data: data.join("\n") };
        yield id === undefined ? message : { ...message, id };
      }
      event = "";
      id = undefined;
      data = [];
      continue;
    }
    const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) id = value;
  }
}

/** The chunks of a body, on runtimes whose streams cannot be iterated too. Cancels the body when left early. */
export async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function lineTooLong(): TroupeError {
  return new InternalError(
    "stream_line_too_long",
    `Expected lines of at most ${MAX_LINE_CHARS} characters in an event stream, got a longer one.`,
  );
}
