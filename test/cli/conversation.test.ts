import { PassThrough } from "node:stream";
import { setImmediate as nextTick } from "node:timers/promises";
import { expect, test } from "vitest";
import { openScreen, plainConversation } from "../../src/cli/conversation.ts";

const COLUMNS = 40;
const SEQUENCE = new RegExp(String.raw`^\u001b\[(\d*)([A-HJK])$`);
const TOKENS = new RegExp(String.raw`\u001b\[\d*[A-HJK]|[\s\S]`, "gu");

/** A screen that does what the cursor sequences of readline and ours say: enough to see what a person sees. */
class Screen {
  readonly rows: string[] = [""];
  #row = 0;
  #column = 0;

  write(text: string): void {
    const tokens = text.match(TOKENS) ?? [];
    for (const token of tokens) this.#take(token);
  }

  #take(token: string): void {
    const [, digits, letter] = SEQUENCE.exec(token) ?? [];
    const count = Number(digits || 1);
    if (letter === "A") this.#row = Math.max(0, this.#row - count);
    else if (letter === "B") this.#row += count;
    else if (letter === "C") this.#column += count;
    else if (letter === "D") this.#column = Math.max(0, this.#column - count);
    else if (letter === "G") this.#column = count - 1;
    else if (letter === "J") {
      this.rows.length = this.#row + 1;
      this.rows[this.#row] = (this.rows[this.#row] ?? "").slice(0, this.#column);
    } else if (token === "\r") this.#column = 0;
    else if (token === "\n") {
      this.#row += 1;
      this.#column = 0;
    } else this.#put(token);
    while (this.rows.length <= this.#row) this.rows.push("");
  }

  #put(character: string): void {
    if (this.#column === COLUMNS) {
      this.#row += 1;
      this.#column = 0;
    }
    const row = (this.rows[this.#row] ?? "").padEnd(this.#column);
    this.rows[this.#row] = row.slice(0, this.#column) + character + row.slice(this.#column + 1);
    this.#column += 1;
  }

  get shown(): string[] {
    return this.rows
      .map((row) => row.trimEnd())
      .filter((row, index, all) => row !== "" || index < all.length - 1);
  }
}

function opened() {
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { columns: COLUMNS, rows: 24, isTTY: true });
  const screen = new Screen();
  output.on("data", (chunk: Buffer) => screen.write(chunk.toString()));
  const presses: number[] = [];
  const conversation = openScreen({ input, output, prompt: "> ", onInterrupt: () => presses.push(1) });
  const type = async (text: string): Promise<void> => {
    input.write(text);
    for (let turn = 0; turn < 5; turn += 1) await nextTick();
  };
  return { conversation, screen, presses, type };
}

test("what comes is written above what is being typed, which stays as it was", async () => {
  const { conversation, screen, type } = opened();
  await type("half a mess");
  conversation.show("an answer");
  await type("age");
  expect(screen.shown).toEqual(["an answer", "> half a message"]);
});

test("a line that is being written grows in place, and the typed one stays below it", async () => {
  const { conversation, screen, type } = opened();
  await type("typing");
  conversation.live("The ans");
  conversation.live("The answer is");
  conversation.show("= a child ended");
  conversation.live("The answer is 42");
  expect(screen.shown).toEqual(["= a child ended", "The answer is 42", "> typing"]);
  conversation.live("");
  conversation.show("The answer is 42.");
  expect(screen.shown).toEqual(["= a child ended", "The answer is 42.", "> typing"]);
});

test("a typed line of several rows survives what is written above it", async () => {
  const { conversation, screen, type } = opened();
  const long = "abcdefghij".repeat(9);
  await type(long);
  conversation.show("one");
  conversation.live("live");
  conversation.show("two");
  const typed = `> ${long}`;
  expect(screen.shown.slice(0, 3)).toEqual(["one", "two", "live"]);
  expect(screen.shown.slice(3).join("")).toBe(typed);
});

test("a line that was entered is read once and moves up with the rest", async () => {
  const { conversation, screen, type } = opened();
  conversation.live("writing");
  await type("hello\r");
  conversation.live("writing on");
  expect(screen.shown).toEqual(["> hello", "writing on", ">"]);
  await type("next\r");
  const read = conversation.lines[Symbol.asyncIterator]();
  expect([(await read.next()).value, (await read.next()).value]).toEqual(["hello", "next"]);
});

test("Ctrl-C calls back, Ctrl-D ends the lines, closing clears what was typed and may be done twice", async () => {
  const { conversation, screen, presses, type } = opened();
  conversation.show("before");
  await type("\u0003");
  expect(presses).toEqual([1]);
  await type("unsent ".repeat(9));
  conversation.close();
  conversation.close();
  conversation.show("too late");
  expect(screen.shown.filter((row) => row !== "")).toEqual(["before"]);
  const ended = opened();
  await ended.type("\u0004");
  expect((await ended.conversation.lines[Symbol.asyncIterator]().next()).done).toBe(true);
});

test("through a pipe lines are cut across chunks and the last one needs no newline", async () => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const text of ["one\r\ntw", "o\n", "three"]) yield new TextEncoder().encode(text);
  }
  let out = "";
  const conversation = plainConversation({ input: chunks(), writeOut: (text) => (out += text) });
  const read: string[] = [];
  for await (const line of conversation.lines) read.push(line);
  conversation.live("never shown");
  conversation.show("shown");
  conversation.close();
  expect(read).toEqual(["one", "two", "three"]);
  expect(out).toBe("shown\n");
});

test("given away and taken back: what was typed is there again, and what came meanwhile stands above it", async () => {
  const { conversation, screen, type } = opened();
  await type("first\r");
  await type("half a mess");
  const resume = conversation.suspend();
  expect(conversation.suspend()).toBe(null);
  const before = [...screen.shown];
  conversation.show("an answer");
  conversation.live("writing");
  expect(screen.shown).toEqual(before);
  resume?.();
  await type("age\r");
  expect(screen.shown).toEqual(["> first", "an answer", "> half a message", "writing", ">"]);
  const read = conversation.lines[Symbol.asyncIterator]();
  expect([(await read.next()).value, (await read.next()).value]).toEqual(["first", "half a message"]);
  conversation.close();
  expect((await read.next()).done).toBe(true);
});

test("closed while it is given away, it still says what came, and takes nothing back", async () => {
  const { conversation, screen } = opened();
  const resume = conversation.suspend();
  conversation.show("an answer");
  conversation.close();
  resume?.();
  expect(screen.shown).toEqual(["an answer"]);
  expect((await conversation.lines[Symbol.asyncIterator]().next()).done).toBe(true);
});
