// In which letters the bytes of a page are written: as its type says, else as the page says, else UTF-8. Pure.

/** Of a page that are searched for what it says. */
const CHARSET_BYTES = 2_048;

/** Bytes as text, by the charset of the type, else of the page, else UTF-8. Contract: never throws. */
export function decoded(bytes: Uint8Array, contentType: string): string {
  const named =
    /charset\s*=\s*"?([\w:.-]{1,40})/i.exec(contentType)?.[1] ??
    /<meta[^>]{0,200}?charset\s*=\s*["']?([\w:.-]{1,40})/i.exec(
      new TextDecoder("latin1").decode(bytes.subarray(0, CHARSET_BYTES)),
    )?.[1];
  try {
    return new TextDecoder(named ?? "utf-8").decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}
