// What a person's message asks for: several jobs, one job, or none. Works by punctuation and by a list of verbs that
// begin a job. Pure; never throws.

const WORK =
  "analy[sz]e|check|collect|compare|count|describe|explain|extract|find|gather|inspect|list|look|measure|name|read|report|review|scan|search|show|sum up|summari[sz]e|tell|verify|work out|write";
const BEGINS_WORK = new RegExp(`^(?:${WORK})\\b`, "i");
const POLITE =
  /^(?:(?:please|now|then|also|and|next|finally|delegate|in parallel|at once)[,:]?\s+|(?:can|could|would|will) you\s+(?:please\s+)?)+/i;
const NUMBERED = /(?:^|\s)\(?\d{1,2}[.)]\s+/;
const BULLET = /^\s*[-*•]\s+/;
const SEPARATOR = /\s*[,.]\s+(?:and\s+|then\s+)*|\s+and\s+(?:then\s+)?/gi;
/** A path, a quoted word or "in …": what a job of its own is about. */
const HAS_PLACE = /\bin\s|\/|\.\w{1,5}\b|["'`]/i;
const REFERS_BACK = /\b(?:it|its|them|their|those|these|back)\b/i;
const CONTEXT = /\n\s*context:\s*/i;
/** No message starts more children than this, however long its list is. */
const MOST_PARTS = 32;

/** The jobs in one message. */
export interface Work {
  readonly parts: readonly string[];
  /** What the person gave as context for all of them; empty when nothing. */
  readonly context: string;
}

function tidy(part: string): string {
  const bare = part
    .replace(BULLET, "")
    .trim()
    .replace(POLITE, "")
    .replace(/[\s;,.]+$/, "");
  return bare === "" ? "" : (bare[0] ?? "").toUpperCase() + bare.slice(1);
}

/** Drops an opening such as "Please do three things:" before a list. */
function withoutOpening(text: string): string {
  const colon = text.indexOf(":");
  if (colon < 0 || colon > 120) return text;
  const opening = text.slice(0, colon);
  const rest = text.slice(colon + 1).trim();
  return /[;\n]/.test(opening) || rest === "" || NUMBERED.test(opening) ? text : rest;
}

function listed(text: string): readonly string[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const bullets = lines.filter((line) => BULLET.test(line));
  if (bullets.length >= 2) return bullets;
  if (NUMBERED.test(text)) {
    const first = text.search(NUMBERED);
    const items = text.slice(first).split(new RegExp(NUMBERED, "g"));
    if (items.filter((item) => item.trim() !== "").length >= 2) return items;
  }
  if (text.includes(";")) return withoutOpening(text).split(/;\s*(?:and\s+)?/i);
  return chained(withoutOpening(text));
}

/** "Count A in x, list B in y": cut only before a clause that is a job of its own, so that "read it and sum it up" stays one. */
function chained(text: string): readonly string[] {
  const parts: string[] = [];
  const cuts = [...text.matchAll(SEPARATOR)];
  let from = 0;
  for (const [index, cut] of cuts.entries()) {
    const next = cut.index + cut[0].length;
    const clause = text.slice(next, cuts[index + 1]?.index).replace(POLITE, "");
    if (!BEGINS_WORK.test(clause) || !HAS_PLACE.test(clause) || REFERS_BACK.test(clause)) continue;
    parts.push(text.slice(from, cut.index));
    from = next;
  }
  return [...parts, text.slice(from)];
}

/** The jobs in a message; no parts when it is a question or a remark. */
export function workIn(message: string): Work {
  const split = message.search(CONTEXT);
  const body = (split < 0 ? message : message.slice(0, split)).trim();
  const context = split < 0 ? "" : message.slice(split).replace(CONTEXT, "").trim();
  const parts = listed(body)
    .map(tidy)
    .filter((part) => part !== "");
  const asked = parts.length > 1 ? parts : parts.filter((part) => asksForWork(part, body));
  // "Hello, how are you" has parts as well; at least one of them must be a job.
  const real = asked.some((part) => BEGINS_WORK.test(part)) || /^\s*delegate\b/i.test(body) ? asked : [];
  return { parts: real.slice(0, MOST_PARTS), context };
}

function asksForWork(part: string, body: string): boolean {
  if (/^\s*delegate\b/i.test(body)) return true;
  return BEGINS_WORK.test(part) && (HAS_PLACE.test(part) || !/^tell me\b/i.test(part));
}
