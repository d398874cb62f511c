// Reads a recording from a file that may be anybody's: a regular file of a bounded size, and nothing that it names.

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { InvalidRequestError, messageOf, NotFoundError, TroupeError } from "../../base/errors.ts";
import { MOST_BYTES, parseRecording, type Recording } from "./recording.ts";

/** Contract: throws NotFoundError `no_such_file` and InvalidRequestError `bad_recording`. */
export async function readRecording(path: string): Promise<Recording> {
  let text: string;
  try {
    text = await readBounded(path);
  } catch (cause) {
    if (cause instanceof TroupeError) throw cause;
    throw new NotFoundError("no_such_file", `Expected a recording in ${path}, got: ${messageOf(cause)}.`, {
      cause,
    });
  }
  return parseRecording(text);
}

async function readBounded(path: string): Promise<string> {
  // Non-blocking, so that a pipe in the file's place cannot hang us; what was opened is what gets checked.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw notRead(path, "no regular file");
    if (found.size > MOST_BYTES)
      throw notRead(path, `${found.size} bytes, of which at most ${MOST_BYTES} are read`);
    // A file may grow while it is read, and one of the system says no size.
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > MOST_BYTES) throw notRead(path, `more than the ${MOST_BYTES} bytes that are read`);
      chunks.push(chunk);
    }
    const decoder = new TextDecoder();
    return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
  } finally {
    await handle.close();
  }
}

function notRead(path: string, what: string): InvalidRequestError {
  return new InvalidRequestError(
    "bad_recording",
    `Expected a recording that troupe export made in ${path}, got ${what}.`,
  );
}
