// JSON that was cut on its way to the model: what came before the cut, with its ends closed. The runtime cuts long tool
// results and leaves a mark between dots, and a model would still read what is there.

interface Open {
  /** The stack of closing brackets at a place where the text may end. */
  readonly closers: string;
  readonly at: number;
}

/** Where the text could end: at the very beginning, and after each value inside a list or object. */
function endings(text: string): readonly Open[] {
  const found: Open[] = [];
  let closers = "";
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    // JSON has no bare newline in a string: here something was cut out.
    if (isString && char === "\n") return [...found, { closers: `"${closers}`, at }];
    if (isString && char === "\\") at += 1;
    else if (isString && char === '"') {
      isString = false;
      found.push({ closers, at: at + 1 });
    } else if (isString) continue;
    else if (char === '"') isString = true;
    else if (char === "…") return found;
    else if (char === "{" || char === "[") {
      closers = (char === "{" ? "}" : "]") + closers;
      if (found.length === 0) found.push({ closers, at: at + 1 });
    } else if (char === "}" || char === "]") {
      closers = closers.slice(1);
      found.push({ closers, at: at + 1 });
    } else if (char === ",") found.push({ closers, at });
  }
  // A text cut inside a string: the string ends where the text does.
  return isString ? [...found, { closers: `"${closers}`, at: text.length }] : found;
}

/** How many ends are tried before giving up, latest first. */
const MOST_TRIES = 8;

/** The value of a JSON text, cut or whole; `undefined` when nothing can be read from it. Never throws. */
export function parsePartial(text: string): unknown {
  const whole = attempt(text);
  if (whole !== undefined) return whole;
  for (const { at, closers } of endings(text).slice(-MOST_TRIES).toReversed()) {
    const value = attempt(text.slice(0, at) + closers);
    if (value !== undefined) return value;
  }
  return undefined;
}

function attempt(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
