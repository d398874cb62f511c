// What the file tools brought back, as facts: listings, texts and matches. Reads the plain lines that Troupe's own file
// tools give, and the JSON that others give; anything it cannot read is an empty fact. Pure; never throws.

import { isRecord, listAt, numberAt, textAt, type Exchange } from "./transcript.ts";

/** One line of a listing; the path counts from the workspace. */
export interface Entry {
  readonly path: string;
  readonly name: string;
  readonly isFolder: boolean;
  readonly bytes: number | null;
}

/** What one `list_dir` showed. */
export interface Listing {
  readonly path: string;
  readonly entries: readonly Entry[];
  readonly truncated: boolean;
}

/** What one `read_file` gave. */
export interface FileText {
  readonly path: string;
  readonly text: string;
  /** Lines that were read; more are there when `truncated`. */
  readonly lines: number;
  readonly bytes: number | null;
  readonly truncated: boolean;
}

/** One place where a search found something. */
export interface Match {
  readonly path: string;
  /** `null` where files were looked for by name. */
  readonly line: number | null;
  readonly text: string;
}

/** What one `search_files` found; `term` is its text or, by name, its glob. */
export interface Search {
  readonly term: string;
  readonly path: string;
  readonly matches: readonly Match[];
  readonly truncated: boolean;
}

const MARK = /^\[truncated\b.*$/m;
/** `src/a.ts, lines 1-20 (512 bytes, version 0123456789abcdef):` before the lines themselves. */
const TEXT_HEAD = /^.+, lines (\d+)-(\d+) \((\d+) bytes(?:, version \w+)?\):\n?/;
const NOTHING =
  /^(?:\S+ is empty\.|nothing found\b|no matches\b|.+ \(\d+ bytes(?:, version \w+)?\)\.$|.+ is a binary file\b)/i;

/** A path below a folder, `.` left out. */
export function joined(folder: string, name: string): string {
  const base = folder.replace(/^\.\/?/, "").replace(/\/+$/, "");
  return base === "" || name.startsWith(`${base}/`) ? name : `${base}/${name}`;
}

function pathOf(exchange: Exchange): string {
  return textAt(exchange.arguments, "path", "directory", "dir", "file", "file_path") ?? ".";
}

function isTruncated({ value, text }: Exchange): boolean {
  return isRecord(value) ? value["truncated"] === true : MARK.test(text);
}

/** The lines of a plain result, without what only says that there is nothing or more. */
function plainLines(exchange: Exchange): readonly string[] {
  if (typeof exchange.value !== "string" || NOTHING.test(exchange.text)) return [];
  return exchange.text.split("\n").filter((line) => line.trim() !== "" && !MARK.test(line));
}

/** `src/` is a folder, `src/a.ts 512` a file with its size; links and the like are left out. */
function plainEntry(line: string): Omit<Entry, "name"> | null {
  if (/ \([a-z ]+\)$/.test(line)) return null;
  const file = /^(.+?) (\d+|\?)$/.exec(line);
  if (file) return { path: file[1] ?? "", isFolder: false, bytes: file[2] === "?" ? null : Number(file[2]) };
  return { path: line.replace(/\/+$/, ""), isFolder: line.endsWith("/"), bytes: null };
}

function jsonEntry(raw: unknown): Omit<Entry, "name"> | null {
  if (typeof raw === "string") return plainEntry(raw.trim());
  const path = textAt(raw, "path", "name");
  if (path === null) return null;
  const isFolder = /^(dir|folder)/i.test(textAt(raw, "type", "kind") ?? "") || path.endsWith("/");
  return { path: path.replace(/\/+$/, ""), isFolder, bytes: numberAt(raw, "size_bytes", "bytes", "size") };
}

/** Reads a listing; without entries where the result is none. */
export function listingOf(exchange: Exchange): Listing {
  const path = pathOf(exchange);
  const listed = listAt(exchange.value, "entries", "items", "files");
  const entries = (listed ?? plainLines(exchange))
    .map(jsonEntry)
    .filter((entry) => entry !== null && entry.path !== "")
    .map((entry) => {
      const full = joined(path, entry?.path ?? "");
      const { isFolder = false, bytes = null } = entry ?? {};
      return { path: full, name: full.slice(full.lastIndexOf("/") + 1), isFolder, bytes };
    });
  return { path, entries, truncated: isTruncated(exchange) };
}

function countLines(text: string): number {
  return text === "" ? 0 : text.replace(/\n$/, "").split("\n").length;
}

/** Reads a text; an empty one where the file is empty or binary. */
export function fileTextOf(exchange: Exchange): FileText {
  const path = pathOf(exchange);
  const truncated = isTruncated(exchange);
  if (typeof exchange.value !== "string") {
    const lines = isRecord(exchange.value) ? listAt(exchange.value["lines"]) : null;
    const text = lines?.join("\n") ?? textAt(exchange.value, "content", "text") ?? "";
    const counted = numberAt(exchange.value, "total_lines", "line_count", "lines");
    const bytes = numberAt(exchange.value, "size_bytes", "bytes", "size");
    return { path, text, lines: counted ?? countLines(text), bytes, truncated };
  }
  const head = TEXT_HEAD.exec(exchange.text);
  if (!head && NOTHING.test(exchange.text)) return { path, text: "", lines: 0, bytes: null, truncated };
  const text = exchange.text.replace(TEXT_HEAD, "").replace(/\n\[truncated\b.*\s*$/, "");
  return { path, text, lines: countLines(text), bytes: head ? Number(head[3]) : null, truncated };
}

function match(raw: unknown): Match | null {
  if (typeof raw === "string") {
    const parts = /^(.+?):(\d+):\s?(.*)$/.exec(raw);
    if (parts) return { path: parts[1] ?? "", line: Number(parts[2]), text: (parts[3] ?? "").trim() };
    return /\s/.test(raw.trim()) ? null : { path: raw.trim(), line: null, text: "" };
  }
  const path = textAt(raw, "path", "file");
  const text = textAt(raw, "text", "preview", "content", "line_text") ?? textAt(raw, "line") ?? "";
  return path === null ? null : { path, line: numberAt(raw, "line", "line_number"), text: text.trim() };
}

/** Reads matches; none where nothing was found. */
export function searchOf(exchange: Exchange): Search {
  const raw = listAt(exchange.value, "matches", "results") ?? plainLines(exchange);
  return {
    term: textAt(exchange.arguments, "text", "pattern", "query", "term", "glob") ?? "",
    path: pathOf(exchange),
    matches: raw.map(match).filter((item) => item !== null),
    truncated: isTruncated(exchange),
  };
}

/** Whether a plain result of a file tool is a refusal: it has none of the forms above. */
export function isFileRefusal(tool: string, text: string): boolean {
  if (text.trim() === "" || NOTHING.test(text) || TEXT_HEAD.test(text)) return false;
  const first = text.trimStart().split("\n")[0] ?? "";
  const isSentence = /^\S+(?: \S+){3}/.test(first);
  if (tool === "list_dir") return isSentence && plainEntry(first)?.isFolder !== true && !/ \d+$/.test(first);
  if (tool === "search_files") return isSentence && !/^[^:]+:\d+:/.test(first);
  return isSentence && text.trim() === first;
}
