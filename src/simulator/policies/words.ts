// Words of a text, for telling which thing a person means.

const SMALL_WORDS = new Set(
  "a all an and are at child do file files folder for in is it job of on one only task that the to".split(
    " ",
  ),
);

/** The words that tell one text from another, lower case, with a plain plural cut off. */
export function keywords(text: string): ReadonlySet<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  return new Set(
    words.filter((word) => !SMALL_WORDS.has(word)).map((word) => word.replace(/(?<=...)s$/, "")),
  );
}
