// The body of an answer, up to a cap, whatever it pretends to be: what comes over the wire is counted, and what it
// unpacks to is counted too. The rest is never read.

import type { PinnedResponse } from "../base/pinned-http.ts";
import { refuse } from "./web-guard.ts";

export interface Body {
  readonly bytes: Uint8Array;
  /** There was more than the cap. */
  readonly cut: boolean;
}

/** A packed piece this small unpacks to at most about 4 MiB, so that memory stays bounded between two looks. */
const PACKED_PIECE = 4_096;

/** Contract: throws ToolError `encoding_refused`, and what the body throws; the caller closes the answer. */
export async function readBody({ headers, body }: PinnedResponse, maxBytes: number): Promise<Body> {
  const encoding = (headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding === "identity" || encoding === "") return collected(body, maxBytes);
  if (encoding !== "gzip" && encoding !== "x-gzip") {
    throw refuse(
      "encoding_refused",
      `Expected a plain or gzip answer, got ${JSON.stringify(encoding.slice(0, 40))}.`,
    );
  }
  const wire = { bytes: 0, cut: false };
  const unpacked = await collected(inflated(capped(body, maxBytes, wire), wire), maxBytes);
  return { ...unpacked, cut: unpacked.cut || wire.cut };
}

async function collected(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Body> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let cut = false;
  for await (const chunk of source) {
    const room = maxBytes - size;
    chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    size += Math.min(room, chunk.length);
    cut = chunk.length > room;
    if (cut) break;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { bytes, cut };
}

/** Packed bytes that unpack to nothing are counted as well. */
async function* capped(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
  wire: { bytes: number; cut: boolean },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    wire.bytes += chunk.length;
    if (wire.bytes > maxBytes) {
      wire.cut = true;
      return;
    }
    for (let at = 0; at < chunk.length; at += PACKED_PIECE) yield chunk.subarray(at, at + PACKED_PIECE);
  }
}

/** What was cut at the cap has no end of its own; what came before it counts. */
async function* inflated(
  packed: AsyncIterable<Uint8Array>,
  wire: { readonly cut: boolean },
): AsyncGenerator<Uint8Array> {
  const stream = new DecompressionStream("gzip");
  const [writer, reader] = [stream.writable.getWriter(), stream.readable.getReader()];
  const state: { failed: unknown; ended: boolean } = { failed: null, ended: false };
  const pumping = (async (): Promise<void> => {
    try {
      for await (const piece of packed) {
        if (state.ended) return;
        await writer.ready;
        await writer.write(piece as Uint8Array<ArrayBuffer>);
      }
      await writer.close();
    } catch (error) {
      state.failed ??= error;
      await writer.abort(error).catch(() => {});
    }
  })();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value as Uint8Array;
    }
  } catch (error) {
    if (!wire.cut) throw state.failed ?? error;
  } finally {
    state.ended = true;
    await reader.cancel().catch(() => {});
    pumping.catch(() => {});
  }
}
