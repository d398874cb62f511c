// Blanks out what is not code, so that the checks can look for code with plain searches. Strings keep their quotes,
// comments and regular expressions vanish, and `${…}` of a template stays code in round brackets.
// It refuses to be a parser: it knows where literals begin and end, and nothing about grammar.
//
// K1. Every output is as long as the source and has its line breaks at the same places.

export interface MaskedSource {
  /** The source with the content of strings, templates and comments turned into spaces. */
  readonly code: string;
  /** The source with everything but comments turned into spaces. */
  readonly comments: string;
}

/** A slash after one of these words or characters begins a regular expression; elsewhere it divides. */
const BEFORE_REGEX =
  /(?:^|[({[,;=:?!&|+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|delete|await|yield))\s*$/;

/** Code in which no literal begins and no template's braces stand. */
const PLAIN = /[^"'`/{}#]+/y;

const blank = (text: string): string => text.replace(/[^\r\n]/g, " ");

/** Walks one source from left to right; each `#take…` reads one literal and moves on. */
class Masker {
  readonly #text: string;
  readonly #code: string[] = [];
  readonly #comments: string[] = [];
  /** How many braces are open inside each `${` that is open. */
  readonly #templates: number[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): MaskedSource {
    while (this.#at < this.#text.length) this.#step();
    return { code: this.#code.join(""), comments: this.#comments.join("") };
  }

  #step(): void {
    const two = this.#text.slice(this.#at, this.#at + 2);
    const one = two.charAt(0);
    if (two === "//" || (this.#at === 0 && two === "#!")) this.#takeComment(this.#lineEnd());
    else if (two === "/*") this.#takeComment(this.#after("*/", this.#at + 2));
    else if (one === '"' || one === "'") this.#takeString(one);
    else if (one === "`") this.#takeTemplate(1);
    else if (one === "}" && this.#templates.at(-1) === 0) this.#resumeTemplate();
    else if (one === "/" && this.#regexMayStart()) this.#emit(this.#regexEnd(), blank);
    else this.#takeCode(one);
  }

  /** Takes one bracket or slash, or everything up to the next character that could begin a literal. */
  #takeCode(character: string): void {
    const depth = this.#templates.length - 1;
    if (depth >= 0 && character === "{") this.#templates[depth] = (this.#templates[depth] ?? 0) + 1;
    if (depth >= 0 && character === "}") this.#templates[depth] = (this.#templates[depth] ?? 0) - 1;
    PLAIN.lastIndex = this.#at;
    const plain = PLAIN.exec(this.#text)?.[0].length ?? 1;
    this.#emit(this.#at + plain, (text) => text);
  }

  #takeComment(end: number): void {
    const text = this.#text.slice(this.#at, end);
    this.#code.push(blank(text));
    this.#comments.push(text);
    this.#at = end;
  }

  #takeString(quote: string): void {
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== quote && this.#text[end] !== "\n") {
      end += this.#text[end] === "\\" ? 2 : 1;
    }
    this.#emit(Math.min(end + 1, this.#text.length), (text) => quote + blank(text.slice(1, -1)) + quote);
  }

  /** Reads template text up to its end or to the next `${`; `skip` characters of it are its opening mark. */
  #takeTemplate(skip: number): void {
    let end = this.#at + skip;
    while (end < this.#text.length) {
      if (this.#text[end] === "`") return this.#emit(end + 1, (text) => this.#mark(text, skip, "`"));
      if (this.#text.startsWith("${", end)) {
        this.#templates.push(0);
        return this.#emit(end + 2, (text) => this.#mark(text, skip, " ("));
      }
      end += this.#text[end] === "\\" ? 2 : 1;
    }
    this.#emit(this.#text.length, blank);
  }

  #resumeTemplate(): void {
    this.#templates.pop();
    this.#takeTemplate(1);
  }

  /** The opening and closing marks of a piece of a template stay in the code, its text does not. */
  #mark(text: string, skip: number, closing: string): string {
    const opening = text.startsWith("}") ? ")" : text.slice(0, skip);
    return opening + blank(text.slice(skip, text.length - closing.length)) + closing;
  }

  #regexMayStart(): boolean {
    return BEFORE_REGEX.test(this.#code.slice(-8).join("").slice(-80)) && this.#regexEnd() > this.#at;
  }

  /** Where the regular expression that starts here ends, or the present place when there is none on this line. */
  #regexEnd(): number {
    let inClass = false;
    for (let end = this.#at + 1; end < this.#text.length; end += 1) {
      const character = this.#text[end];
      if (character === "\n") return this.#at;
      if (character === "\\") end += 1;
      else if (character === "[") inClass = true;
      else if (character === "]") inClass = false;
      else if (character === "/" && !inClass) return end + 1;
    }
    return this.#at;
  }

  #emit(end: number, show: (text: string) => string): void {
    const text = this.#text.slice(this.#at, end);
    this.#code.push(show(text));
    this.#comments.push(blank(text));
    this.#at = end;
  }

  #lineEnd(): number {
    const end = this.#text.indexOf("\n", this.#at);
    return end < 0 ? this.#text.length : end;
  }

  #after(mark: string, from: number): number {
    const end = this.#text.indexOf(mark, from);
    return end < 0 ? this.#text.length : end + mark.length;
  }
}

/** Contract: pure; never throws, also on text that is no TypeScript. */
export function maskSource(text: string): MaskedSource {
  return new Masker(text).run();
}

/** The line of a place in the text, from 1. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < index; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}
