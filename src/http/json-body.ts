// Reads a request's body as JSON, and refuses what would be dangerous to carry further: bodies past the cap, other
// media types, nesting that a recursive reader would choke on, `__proto__`, numbers that are none.
// It does not know what the body should hold: that is the route's schema.
//
// J1. At most `maxBytes` are ever held. A body that announces its length is taken in one piece, since no server hands over
//     more of it than that; one without is counted as it comes.
// J2. What passes is plain: no `__proto__` key, no depth over MAX_DEPTH, only finite numbers and whole characters.
//     Of duplicate keys the last one counts, for everybody, since the text is parsed once.

import { CancelledError, InvalidRequestError } from "../base/errors.ts";

const MAX_DEPTH = 64;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** The parsed body, or `undefined` when there is none. Throws InvalidRequestError, and CancelledError when it breaks off. */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const declared = Number(request.headers.get("content-length") ?? "0");
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const bytes = await (declared > 0 ? readWhole(request) : readBytes(request, maxBytes));
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
  if (bytes.length === 0) return undefined;
  assertJsonType(request.headers);
  const value = parse(bytes);
  assertPlain(value);
  return value;
}

/** Throws InvalidRequestError `unsupported_media_type` unless the headers announce JSON in UTF-8. */
export function assertJsonType(headers: Headers): void {
  // As almost everybody writes it.
  if (headers.get("content-type") === "application/json" && !headers.has("content-encoding")) return;
  const [type = "", ...parameters] = (headers.get("content-type") ?? "")
    .split(";")
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => /^charset=/i.test(parameter));
  const encoding = headers.get("content-encoding");
  const plain = encoding === null || encoding.toLowerCase() === "identity";
  const utf8 = charset === undefined || /^charset="?utf-8"?$/i.test(charset);
  if (type.toLowerCase() === "application/json" && utf8 && plain) return;
  throw new InvalidRequestError(
    "unsupported_media_type",
    `Expected a body with "Content-Type: application/json", got ${type === "" ? "none" : JSON.stringify(type)}` +
      `${plain ? "" : `, encoded as ${JSON.stringify(encoding)}`}. Send plain JSON in UTF-8 and say so in that header.`,
  );
}

/** Several times as fast as piece by piece: no stream is made for it. */
async function readWhole(request: Request): Promise<Uint8Array> {
  return new Uint8Array(await request.arrayBuffer().catch(brokenOff));
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array(0);
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(brokenOff);
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      // Not awaited: a sender that stalls must not delay the answer (keeps J1).
      reader.cancel().catch(() => {});
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** A sender that goes away in the middle is no defect of ours; nobody is left to read the answer. */
function brokenOff(cause: unknown): never {
  throw new CancelledError("Expected the rest of the body, but the caller broke off sending it.", { cause });
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(UTF8.decode(bytes));
  } catch (error) {
    throw new InvalidRequestError(
      "malformed_json",
      "Expected a JSON document in UTF-8 as the body, got something that is not. Check quotes, commas and encoding.",
      { cause: error },
    );
  }
}

/** Walks with a stack of its own, so that no nesting can overflow ours (keeps J2). */
function assertPlain(root: unknown): void {
  const stack: { readonly value: unknown; readonly depth: number }[] = [{ value: root, depth: 1 }];
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { value, depth } = entry;
    if (typeof value === "number" && !Number.isFinite(value)) throw unsafe("a number too large to hold");
    if (typeof value === "string" && !value.isWellFormed()) throw unsafe("half of a surrogate pair");
    if (typeof value !== "object" || value === null) continue;
    if (depth > MAX_DEPTH) throw unsafe(`more than ${MAX_DEPTH} levels of nesting`);
    if (Object.hasOwn(value, "__proto__")) throw unsafe('a key named "__proto__"');
    for (const [key, item] of Object.entries(value)) {
      if (!key.isWellFormed()) throw unsafe("half of a surrogate pair");
      stack.push({ value: item, depth: depth + 1 });
    }
  }
}

function unsafe(what: string): InvalidRequestError {
  return new InvalidRequestError(
    "unsafe_json",
    `Expected plain JSON, got ${what}. Leave it out of the body and send the rest again.`,
  );
}

function tooLarge(maxBytes: number): InvalidRequestError {
  return new InvalidRequestError(
    "body_too_large",
    `Expected a body of at most ${maxBytes} bytes, got more. Put large texts into files of the workspace and name them.`,
    { details: { max_bytes: maxBytes } },
  );
}
