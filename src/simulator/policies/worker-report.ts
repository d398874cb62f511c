// The worker's last word: facts from the tool results and nothing else. Each line can be checked against the files.
// It says of itself that it was written by rule, and which steers it followed.

import type { FileText, Listing, Search } from "./file-results.ts";
import { oneLine, textAt } from "./transcript.ts";
import type { Brief } from "./worker-brief.ts";
import { fits, isUnder, type Seen } from "./worker-plan.ts";

const NAMES_SHOWN = 6;
const MATCHES_SHOWN = 3;
const FUNCTION =
  /^\s*(?:export\s+)?(?:default\s+)?(?:async\s+)?(?:function\b|def\s|const\s+\w+\s*=\s*(?:async\s*)?\()/gm;

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function listingLine(listing: Listing, brief: Brief): string {
  const files = listing.entries.filter((entry) => !entry.isFolder);
  const folders = listing.entries.length - files.length;
  const kept = brief.extensions.length > 0 ? files.filter((entry) => fits(entry.path, brief)) : files;
  const what =
    kept.length === files.length
      ? ""
      : `, of them ${plural(kept.length, brief.extensions.join("/") + " file")}`;
  const names = kept.slice(0, brief.isBrief ? 3 : NAMES_SHOWN).map((entry) => entry.name);
  const more = kept.length > names.length ? ", …" : "";
  const cut = listing.truncated ? " (the listing was cut)" : "";
  const shown = names.length > 0 ? `: ${names.join(", ")}${more}` : "";
  return `- ${listing.path}: ${plural(files.length, "file")}, ${plural(folders, "folder")}${what}${shown}${cut}`;
}

/** The first heading, else the first line that says something. */
function opening(text: string): string | null {
  const lines = text.split("\n").map((line) => line.trim());
  const heading = lines.find((line) => /^#{1,6}\s+\S/.test(line));
  if (heading !== undefined) return `first heading "${oneLine(heading.replace(/^#+\s*/, ""), 80)}"`;
  const first = lines.find((line) => line !== "");
  return first === undefined ? null : `begins "${oneLine(first.replace(/^(\/\/|\/\*+|\*|#!)\s*/, ""), 70)}"`;
}

function fileLine(file: FileText, brief: Brief): string {
  const headings = file.text.match(/^#{1,6}\s+\S.*$/gm) ?? [];
  const functions = brief.wantsFunctions ? (file.text.match(FUNCTION) ?? []).length : 0;
  const facts = [
    file.truncated ? `more than ${plural(file.lines, "line")}` : plural(file.lines, "line"),
    file.bytes === null ? null : plural(file.bytes, "byte"),
    opening(file.text),
    headings.length > 1 ? plural(headings.length, "heading") : null,
    brief.wantsFunctions ? plural(functions, "function") : null,
  ];
  return `- ${file.path}: ${facts.filter((fact) => fact !== null).join("; ")}`;
}

function searchLines(search: Search, brief: Brief): readonly string[] {
  const kept = search.matches.filter((match) => brief.extensions.length === 0 || fits(match.path, brief));
  const files = new Set(kept.map((match) => match.path)).size;
  const cut = search.truncated ? " or more" : "";
  const byName =
    search.term.startsWith("*") || (kept.length > 0 && kept.every((match) => match.line === null));
  const found = byName
    ? plural(files, "file")
    : `${plural(kept.length, "matching line")} in ${plural(files, "file")}`;
  const head = `- "${search.term}" in ${search.path}: ${found}${cut}`;
  const shown = kept.slice(0, brief.isBrief ? 1 : MATCHES_SHOWN).map((match) => {
    const where = match.line === null ? match.path : `${match.path}:${match.line}`;
    return `  ${where} ${oneLine(match.text, 100)}`.trimEnd();
  });
  return [head, ...shown];
}

function largestLine(seen: Seen, brief: Brief): string | null {
  if (!brief.wantsLargest) return null;
  const sized = ownListings(seen)
    .flatMap((listing) => listing.entries)
    .filter((entry) => !entry.isFolder && entry.bytes !== null)
    .toSorted((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0));
  const names = sized.slice(0, MATCHES_SHOWN).map((entry) => `${entry.path} (${entry.bytes} bytes)`);
  return names.length > 0 ? `Largest: ${names.join(", ")}.` : "Largest: the listing tells no sizes.";
}

/** The root is left out where it was only looked at to find the way. */
function ownListings(seen: Seen): readonly Listing[] {
  return seen.listings.filter((listing) => listing.path !== "." || seen.listings.length === 1);
}

/** Files counted over all listings, each once. */
function countLine(seen: Seen, brief: Brief): string | null {
  if (!brief.wantsCount) return null;
  const listings = ownListings(seen);
  const files = new Set(
    listings
      .flatMap((listing) => listing.entries)
      .filter((entry) => !entry.isFolder && (brief.extensions.length === 0 || fits(entry.path, brief)))
      .map((entry) => entry.path),
  );
  const kind = brief.extensions.length > 0 ? `${brief.extensions.join("/")} ` : "";
  return `Count: ${plural(files.size, `${kind}file`)} in ${plural(listings.length, "folder")} listed.`;
}

function steerLine(brief: Brief): string | null {
  if (brief.steers.length === 0) return null;
  const quoted = brief.steers.map((steer) => `"${oneLine(steer, 100)}"`).join(" and ");
  const effects = [
    brief.extensions.length > 0 ? `only ${brief.extensions.join("/")} files` : null,
    brief.focus === null ? null : `only ${oneLine(brief.focus.text, 60)}`,
    brief.isBrief ? "kept short" : null,
  ].filter((effect) => effect !== null);
  return `I followed the steer ${quoted}${effects.length > 0 ? `: ${effects.join(", ")}` : ""}.`;
}

/** What a steer left out is left out here too, even if it was read before the steer came. */
function keptTexts(brief: Brief, seen: Seen): readonly FileText[] {
  const allowed = seen.texts.filter((file) => brief.extensions.length === 0 || fits(file.path, brief));
  const { focus } = brief;
  if (focus === null) return allowed;
  const found = seen.searches
    .filter((search) => focus.keywords.has(search.term))
    .flatMap((search) => search.matches);
  const kept = allowed.filter(
    ({ path }) =>
      focus.paths.some((place) => isUnder(path, place) || path.endsWith(`/${place}`)) ||
      (focus.paths.length === 0 && [...focus.keywords].some((word) => path.toLowerCase().includes(word))) ||
      found.some((match) => match.path === path),
  );
  return kept.length > 0 ? kept : allowed;
}

function keptSearches(brief: Brief, seen: Seen): readonly Search[] {
  const { focus } = brief;
  if (focus === null) return seen.searches;
  const isKept = (term: string): boolean =>
    brief.terms.includes(term) || focus.keywords.has(term) || term.startsWith("*");
  return seen.searches.filter(({ term }) => isKept(term));
}

/** The report. Never throws; says so when nothing was found. */
export function reportOf(brief: Brief, seen: Seen): string {
  const facts = [
    ...ownListings(seen).map((listing) => listingLine(listing, brief)),
    ...keptTexts(brief, seen).map((file) => fileLine(file, brief)),
    ...keptSearches(brief, seen).flatMap((search) => searchLines(search, brief)),
    ...seen.failures.map((failed) => {
      const reason = textAt(failed.value, "message", "error") ?? failed.text;
      return `- ${failed.name} failed: ${oneLine(reason, 160)}`;
    }),
  ];
  const shown = brief.isBrief ? facts.slice(0, 3) : facts;
  return [
    `Report by rule (simulated): ${brief.goal}`,
    steerLine(brief),
    countLine(seen, brief),
    largestLine(seen, brief),
    ...(shown.length > 0 ? shown : ["- Nothing was found."]),
  ]
    .filter((line) => line !== null)
    .join("\n");
}
