// From the bytes of a page to text that a model reads: markup gone, the page's own content where it says which that is,
// and nothing in it that steers a terminal or hides from a person. htmlparser2 finds the tokens; no tree is built, so
// that time and memory stay proportional to the page however deep it pretends to be.

import type { Tokenizer } from "htmlparser2";
import { settle } from "../base/clock.ts";

export interface PageText {
  readonly title: string;
  readonly text: string;
}

/** Less than this in `main` or `article` is a teaser, not the page. */
const MIN_MAIN_CHARS = 200;
const MAX_TITLE_CHARS = 300;
/** Of all addresses of links together: a page of many short links at a long address would come to gigabytes. */
const MAX_LINKS_CHARS = 2_000_000;
/** Characters of a page that are read in one go; then others have their turn. */
const PIECE_CHARS = 65_536;

/** Never read by a person. */
const UNREAD: ReadonlySet<string> = new Set(
  "script style noscript template svg math iframe object canvas select datalist audio video title".split(" "),
);
/** Around the content, on every page of a site. */
const AROUND: ReadonlySet<string> = new Set(["nav", "footer", "aside"]);
const CONTENT: ReadonlySet<string> = new Set(["main", "article"]);
const VOID: ReadonlySet<string> = new Set(
  "area base br col embed hr img input link meta param source track wbr".split(" "),
);
const PARAGRAPHS: ReadonlySet<string> = new Set(
  "p h1 h2 h3 h4 h5 h6 ul ol dl pre table blockquote section article main header hr figure".split(" "),
);
const LINES: ReadonlySet<string> = new Set("div li tr br dt dd option address form fieldset body".split(" "));

/** Control characters, marks that turn the direction of text, and invisible letters that can carry a message. */
const HIDDEN =
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;

/** Nearly all of most pages: it needs no second look. */
const PLAIN = /^[\n\t -~]*$/;

/** Contract: pure; the text without what no reader sees. */
export function inertText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.toWellFormed().replaceAll("\r\n", "\n").replaceAll("\r", "\n").replaceAll(HIDDEN, "");
}

/** Title and readable text of a page; with `links`, each link's address stands behind its words. */
export async function readHtml(
  html: string,
  { base, links }: { readonly base: URL; readonly links: boolean },
): Promise<PageText> {
  const { Tokenizer } = await import("htmlparser2");
  const reader = new PageReader(html, links ? base : null);
  const tokenizer: Tokenizer = new Tokenizer({ xmlMode: false, decodeEntities: true }, reader.callbacks);
  for (let at = 0; at < html.length;) {
    if (at > 0) await settle();
    const end = at + PIECE_CHARS;
    // No character is cut in two.
    const next = /[\ud800-\udbff]/.test(html.charAt(end - 1)) ? end + 1 : end;
    tokenizer.write(html.slice(at, next));
    at = next;
  }
  tokenizer.end();
  return reader.read();
}

type Callbacks = ConstructorParameters<typeof Tokenizer>[1];

/** An element that is open and left out; elements of its name inside of it are counted. */
interface Gap {
  readonly name: string;
  depth: number;
}

/** Follows the tokens of one page. */
class PageReader {
  readonly #html: string;
  readonly #base: URL | null;
  readonly #whole = new Sheet();
  readonly #body = new Sheet();
  readonly #main = new Sheet();
  #title = "";
  #inTitle = false;
  #unread: Gap | null = null;
  #around: Gap | null = null;
  #content: Gap | null = null;
  #pre = 0;
  #tag = "";
  #attribute = "";
  #attributes = new Map<string, string>();
  #href: string | null = null;
  #linksLeft = MAX_LINKS_CHARS;

  constructor(html: string, base: URL | null) {
    this.#html = html;
    this.#base = base;
  }

  /** Shapes of the tokenizer: ranges of the page, or a code point that an entity stood for. */
  get callbacks(): Callbacks {
    const nothing = (): void => {};
    const slice = (start: number, end: number): string => this.#html.slice(start, end);
    return {
      ontext: (start, end) => this.#text(slice(start, end)),
      ontextentity: (point) => this.#text(String.fromCodePoint(point)),
      onopentagname: (start, end) => {
        this.#tag = slice(start, end).toLowerCase();
        this.#attributes = new Map();
      },
      onattribname: (start, end) => {
        this.#attribute = slice(start, end).toLowerCase();
        if (this.#attributes.size < 50) this.#attributes.set(this.#attribute, "");
      },
      onattribdata: (start, end) => this.#addAttribute(slice(start, end)),
      onattribentity: (point) => this.#addAttribute(String.fromCodePoint(point)),
      onattribend: nothing,
      onopentagend: () => this.#open(),
      onselfclosingtag: () => this.#open(),
      onclosetag: (start, end) => this.#close(slice(start, end).toLowerCase()),
      oncdata: nothing,
      oncomment: nothing,
      ondeclaration: nothing,
      onprocessinginstruction: nothing,
      onend: nothing,
    };
  }

  read(): PageText {
    const title = inertText(this.#title).replaceAll(/\s+/g, " ").trim().slice(0, MAX_TITLE_CHARS);
    const body = this.#body.chars > 0 ? this.#body : this.#whole;
    const text = (this.#isMainEnough ? this.#main : body).text();
    return { title, text: this.#linksLeft < 0 ? `${text}\n[where further links lead is not shown]` : text };
  }

  #addAttribute(part: string): void {
    const known = this.#attributes.get(this.#attribute);
    if (known !== undefined && known.length < 4_096) this.#attributes.set(this.#attribute, known + part);
  }

  #open(): void {
    const name = this.#tag;
    if (this.#unread !== null) {
      if (name === this.#unread.name) this.#unread.depth += 1;
      return;
    }
    if (VOID.has(name)) return this.#break(name);
    if (name === "title") this.#inTitle = this.#title === "";
    if (UNREAD.has(name) || this.#isHidden()) {
      this.#unread = { name, depth: 1 };
      return;
    }
    this.#around = opened(this.#around, name, AROUND);
    this.#content = opened(this.#content, name, CONTENT);
    if (name === "pre") this.#pre += 1;
    if (name === "a") this.#href = this.#attributes.get("href") ?? null;
    this.#break(name);
    if (name === "li") this.#write("- ");
    if (name === "td" || name === "th") this.#write(" ");
  }

  #close(name: string): void {
    if (this.#unread !== null) {
      if (name === this.#unread.name) this.#unread.depth -= 1;
      if (this.#unread.depth > 0) return;
      this.#unread = null;
      this.#inTitle = false;
      return;
    }
    if (name === "a") this.#endLink();
    this.#break(name);
    if (name === "pre") this.#pre = Math.max(0, this.#pre - 1);
    this.#around = closed(this.#around, name);
    this.#content = closed(this.#content, name);
  }

  #isHidden(): boolean {
    const style = this.#attributes.get("style") ?? "";
    return (
      this.#attributes.has("hidden") ||
      this.#attributes.get("aria-hidden") === "true" ||
      /display\s*:\s*none|visibility\s*:\s*hidden/i.test(style)
    );
  }

  #endLink(): void {
    const base = this.#linksLeft < 0 ? null : this.#base;
    const to = this.#href === null || base === null ? null : URL.parse(this.#href, base);
    this.#href = null;
    if (to === null || !/^https?:$/.test(to.protocol)) return;
    this.#linksLeft -= to.href.length;
    if (this.#linksLeft >= 0) this.#write(` (${to.href})`);
  }

  #text(text: string): void {
    if (this.#inTitle && this.#title.length < MAX_TITLE_CHARS * 4) this.#title += text;
    if (this.#unread === null) this.#write(text);
  }

  get #isMainEnough(): boolean {
    return this.#main.chars >= MIN_MAIN_CHARS;
  }

  /** Where text goes that stands here: nowhere that will not be shown any more. */
  #sheets(): readonly Sheet[] {
    const whole = this.#body.chars > 0 ? [] : [this.#whole];
    if (this.#around !== null) return whole;
    const main = this.#content === null ? [] : [this.#main];
    return this.#isMainEnough ? main : [...whole, this.#body, ...main];
  }

  #write(text: string): void {
    for (const sheet of this.#sheets()) sheet.write(text, this.#pre > 0);
  }

  #break(name: string): void {
    const lines = PARAGRAPHS.has(name) ? 2 : LINES.has(name) ? 1 : 0;
    if (lines > 0) for (const sheet of this.#sheets()) sheet.break(lines);
  }
}

function opened(gap: Gap | null, name: string, names: ReadonlySet<string>): Gap | null {
  if (gap === null) return names.has(name) ? { name, depth: 1 } : null;
  if (name === gap.name) gap.depth += 1;
  return gap;
}

function closed(gap: Gap | null, name: string): Gap | null {
  if (gap === null || name !== gap.name) return gap;
  gap.depth -= 1;
  return gap.depth === 0 ? null : gap;
}

/** Text as it is laid out: runs of blanks are one, and at most one line stays empty. */
class Sheet {
  readonly #parts: string[] = [];
  /** Line ends that come before the next word, and whether a blank does. */
  #lines = 0;
  #blank = false;
  #chars = 0;

  /** Characters that were written, without blanks between and around. */
  get chars(): number {
    return this.#chars;
  }

  write(raw: string, asItStands: boolean): void {
    const text = inertText(raw);
    if (asItStands) return this.#push(text, text.trim().length);
    const words = text.replaceAll(/\s+/g, " ");
    if (words.startsWith(" ")) this.#blank = true;
    const core = words.trim();
    if (core === "") return;
    this.#push(core, core.length);
    this.#blank = words.endsWith(" ");
  }

  break(lines: number): void {
    this.#lines = Math.max(this.#lines, lines);
    this.#blank = false;
  }

  text(): string {
    const kept: string[] = [];
    for (const line of this.#parts
      .join("")
      .split("\n")
      .map((each) => each.trimEnd())) {
      if (line !== "" || (kept.at(-1) ?? "") !== "") kept.push(line);
    }
    return kept.join("\n").trim();
  }

  #push(text: string, chars: number): void {
    this.#flush();
    this.#parts.push(text);
    this.#chars += chars;
  }

  #flush(): void {
    if (this.#lines > 0) this.#parts.push("\n".repeat(this.#lines));
    else if (this.#blank) this.#parts.push(" ");
    this.#lines = 0;
    this.#blank = false;
  }
}
