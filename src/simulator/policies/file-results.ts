// What the file tools brought back, as facts: listings, texts and matches. Reads the JSON that a tool gives and, where
// it is none, plain lines; anything it cannot read is an empty fact. Pure; never throws.

import { isRecord, listAt, numberAt, textAt, type Exchange } from "./transcript.ts";

export interface Entry {
  readonly path: string;
  readonly name: string;
  readonly isFolder: boolean;
  readonly bytes: number | null;
}

export interface Listing {
  readonly path: string;
  readonly entries: readonly Entry[];
  readonly truncated: boolean;
}

export interface FileText {
  readonly path: string;
  readonly text: string;
  /** Lines of the whole file, where the tool tells; else those that came. */
  readonly lines: number;
  readonly truncated: boolean;
}

export interface Match {
  readonly path: string;
  readonly line: number | null;
  readonly text: string;
}

export interface Search {
  readonly term: string;
  readonly path: string;
  readonly matches: readonly Match[];
  readonly truncated: boolean;
}

/** A path below a folder, `.` left out. */
export function joined(folder: string, name: string): string {
  const base = folder.replace(/^\.\/?/, "").replace(/\/+$/, "");
  return base === "" || name.startsWith(`${base}/`) ? name : `${base}/${name}`;
}

function pathOf(exchange: Exchange): string {
  return textAt(exchange.arguments, "path", "directory", "dir", "file", "file_path") ?? ".";
}

function isTruncated(exchange: Exchange): boolean {
  return isRecord(exchange.value) && exchange.value["truncated"] === true;
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

function entry(folder: string, raw: unknown): Entry | null {
  const word = typeof raw === "string" ? raw.trim() : textAt(raw, "path", "name");
  if (word === null || word === "") return null;
  const kind = textAt(raw, "type", "kind") ?? "";
  const clean = word.replace(/\/+$/, "");
  const path = joined(folder, clean);
  const isFolder = /^(dir|folder)/i.test(kind) || word.endsWith("/");
  const bytes = numberAt(raw, "size_bytes", "bytes", "size");
  return { path, name: clean.slice(clean.lastIndexOf("/") + 1), isFolder, bytes };
}

export function listingOf(exchange: Exchange): Listing {
  const path = pathOf(exchange);
  const raw =
    listAt(exchange.value, "entries", "items", "files") ??
    linesOf(textAt(exchange.value, "text", "content") ?? exchange.text);
  const entries = raw.map((item) => entry(path, item)).filter((item) => item !== null);
  return { path, entries, truncated: isTruncated(exchange) };
}

export function fileTextOf(exchange: Exchange): FileText {
  const listed = listAt(isRecord(exchange.value) ? exchange.value["lines"] : null);
  const text = listed?.join("\n") ?? textAt(exchange.value, "content", "text") ?? plainText(exchange);
  const counted = numberAt(exchange.value, "total_lines", "line_count", "lines");
  const own = text === "" ? 0 : text.replace(/\n$/, "").split("\n").length;
  return { path: pathOf(exchange), text, lines: counted ?? own, truncated: isTruncated(exchange) };
}

function plainText(exchange: Exchange): string {
  return isRecord(exchange.value) ? "" : exchange.text;
}

function match(raw: unknown): Match | null {
  if (typeof raw === "string") {
    const parts = /^(.+?):(\d+):\s?(.*)$/.exec(raw);
    return parts ? { path: parts[1] ?? "", line: Number(parts[2]), text: (parts[3] ?? "").trim() } : null;
  }
  const path = textAt(raw, "path", "file");
  const text = textAt(raw, "text", "preview", "content", "line_text") ?? textAt(raw, "line") ?? "";
  return path === null ? null : { path, line: numberAt(raw, "line", "line_number"), text: text.trim() };
}

export function searchOf(exchange: Exchange): Search {
  const raw = listAt(exchange.value, "matches", "results") ?? linesOf(plainText(exchange));
  return {
    term: textAt(exchange.arguments, "pattern", "query", "text", "term") ?? "",
    path: pathOf(exchange),
    matches: raw.map(match).filter((item) => item !== null),
    truncated: isTruncated(exchange),
  };
}
