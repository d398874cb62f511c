// Takes exact secrets out of text that leaves: plain, and as base64, hex, percent-encoded and JSON-escaped, in whole
// texts and in streams cut anywhere. It knows values, not patterns: what it was not told, it does not find.

import { Buffer } from "node:buffer";

export const REDACTED = "[redacted]";
/** Shorter values stand in ordinary words; taking them out would tell where they are, and break texts. */
export const SHORTEST_SECRET = 6;

/**
 * The middle of a secret's base64 at each of the three places where it may begin in a longer text: the characters
 * that its neighbours share are left off.
 */
function base64Forms(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, "utf8");
  const forms = [bytes.toString("base64"), bytes.toString("base64").replace(/=+$/, "")];
  for (const before of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor(((before + bytes.length) * 8) / 6);
    if (to - from >= SHORTEST_SECRET) forms.push(text.slice(from, to));
  }
  return forms.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}

function percentForms(secret: string): readonly string[] {
  const component = encodeURIComponent(secret);
  const all = [...Buffer.from(secret, "utf8")]
    .map((byte) => `%${byte.toString(16).padStart(2, "0")}`)
    .join("");
  const lower = component.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  return [component, lower, component.replaceAll("%20", "+"), encodeURI(secret), all, all.toUpperCase()];
}

function jsonForms(secret: string): readonly string[] {
  const once = JSON.stringify(secret).slice(1, -1);
  const units = Array.from({ length: secret.length }, (_, index) => secret.charCodeAt(index));
  const escaped = units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  return [once, once.replaceAll("/", "\\/"), JSON.stringify(once).slice(1, -1), escaped];
}

function formsOf(secret: string): readonly string[] {
  const hex = Buffer.from(secret, "utf8").toString("hex");
  return [
    secret,
    ...base64Forms(secret),
    hex,
    hex.toUpperCase(),
    ...percentForms(secret),
    ...jsonForms(secret),
  ];
}

/** Longest first, so that a form that holds another goes whole. */
function allForms(secrets: Iterable<string>): readonly string[] {
  const forms = [...secrets].filter((secret) => secret.length >= SHORTEST_SECRET).flatMap(formsOf);
  return [...new Set(forms)].toSorted((a, b) => b.length - a.length);
}

function patternOf(forms: readonly string[]): RegExp | null {
  if (forms.length === 0) return null;
  return new RegExp(forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"), "g");
}

/** A function that replaces every form of the secrets by `[redacted]`. Contract: never throws; keeps other text. */
export function redactor(secrets: Iterable<string>): (text: string) => string {
  const pattern = patternOf(allForms(secrets));
  return (text) => (pattern === null ? text : text.replace(pattern, REDACTED));
}

/**
 * The same over text that comes in pieces.
 * R1. No form of a secret leaves, wherever the pieces were cut: what could still become one is held back.
 * R2. Joined, the pieces that leave are what `redactor` makes of the joined text.
 */
export class RedactingStream {
  readonly #forms: readonly string[];
  readonly #pattern: RegExp | null;
  #held = "";

  constructor(secrets: Iterable<string>) {
    this.#forms = allForms(secrets);
    this.#pattern = patternOf(this.#forms);
  }

  /** What may leave now; perhaps nothing. */
  push(text: string): string {
    return this.#take(this.#held + text, false);
  }

  /** The rest. */
  end(): string {
    return this.#take(this.#held, true);
  }

  #take(text: string, last: boolean): string {
    this.#held = "";
    if (this.#pattern === null) return text;
    let out = "";
    let from = 0;
    const held = last ? text.length : this.#firstUnsure(text);
    for (const match of text.matchAll(this.#pattern)) {
      // A match that reaches into what is unsure may still grow to a longer form; it waits.
      if (match.index >= held) break;
      out += text.slice(from, match.index) + REDACTED;
      from = match.index + match[0].length;
    }
    const cut = Math.max(from, held);
    this.#held = text.slice(cut);
    return out + text.slice(from, cut);
  }

  /** The first place from where the rest of the text is the beginning of a form. */
  #firstUnsure(text: string): number {
    const longest = this.#forms[0]?.length ?? 0;
    for (let start = Math.max(0, text.length - longest + 1); start < text.length; start++) {
      const rest = text.slice(start);
      if (this.#forms.some((form) => form.length > rest.length && form.startsWith(rest))) return start;
    }
    return text.length;
  }
}
