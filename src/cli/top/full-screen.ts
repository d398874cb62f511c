// The whole screen of a terminal, drawn line by line with ink, and its keys. The only file that loads ink and React, and
// only when a screen is opened. It shows the lines that it is given: they are printable already, with our styles alone.
//
// X1. Whatever happens, `close` gives the terminal back as it was: the other screen, the cursor, the mode of its keys.

import { linkedAbort } from "../../base/abort.ts";
import type { ScreenStreams } from "../terminal.ts";
import type { Room } from "./frame.ts";
import type { Key, KeyName } from "./top-state.ts";

export interface FullScreen {
  room(): Room;
  draw(lines: readonly string[]): void;
  /** Who gets the keys and is told of a new size from now on; gives back who got them before. */
  listen(listener: ScreenListener | null): ScreenListener | null;
  /** Keeps X1. Idempotent. */
  close(): Promise<void>;
}

export interface ScreenListener {
  readonly onKey: (key: Key) => void;
  readonly onResize: () => void;
}

/** Frames in a second at most; what comes faster is drawn once. */
const MOST_FRAMES_PER_S = 15;

type InkKey = Partial<
  Record<
    | "upArrow"
    | "downArrow"
    | "leftArrow"
    | "rightArrow"
    | "pageUp"
    | "pageDown"
    | "home"
    | "end"
    | "return"
    | "escape"
    | "backspace"
    | "delete"
    | "ctrl"
    | "meta"
    | "tab",
    boolean
  >
>;

const NAMES: readonly (readonly [keyof InkKey, KeyName])[] = [
  ["upArrow", "up"],
  ["downArrow", "down"],
  ["leftArrow", "left"],
  ["rightArrow", "right"],
  ["pageUp", "page_up"],
  ["pageDown", "page_down"],
  ["home", "home"],
  ["end", "end"],
  ["return", "enter"],
  ["escape", "escape"],
  // Terminals do not agree on what the key above Enter sends.
  ["backspace", "backspace"],
  ["delete", "backspace"],
];

/** The key of what ink read; `null` for one that has no meaning here. */
export function keyOf(input: string, key: InkKey): Key | null {
  const named = NAMES.find(([flag]) => key[flag] === true);
  if (named !== undefined) return { name: named[1] };
  if (key.ctrl === true) {
    if (input === "c") return { name: "interrupt" };
    return input === "u" ? { name: "clear_line" } : null;
  }
  if (key.meta === true || key.tab === true || input === "") return null;
  return { name: "text", text: input };
}

function roomOf(output: NodeJS.WritableStream): Room {
  const { columns, rows } = output as { readonly columns?: number; readonly rows?: number };
  return { columns: columns || 80, rows: rows || 24 };
}

/** Contract: throws when ink cannot be loaded. */
export async function openFullScreen({ input, output }: ScreenStreams): Promise<FullScreen> {
  const [{ Box, render, Text, useInput }, { createElement }] = await Promise.all([
    import("ink"),
    import("react"),
  ]);
  let listener: ScreenListener | null = null;
  const Screen = ({ lines }: { readonly lines: readonly string[] }) => {
    useInput((typed, key) => {
      const pressed = keyOf(typed, key);
      if (pressed !== null) listener?.onKey(pressed);
    });
    // Rows have no identity of their own: a line is drawn where it stands.
    const rows = lines.map((line, row) => createElement(Text, { key: row, wrap: "truncate" }, line || " "));
    return createElement(Box, { flexDirection: "column" }, rows);
  };
  const instance = render(createElement(Screen, { lines: [] }), {
    stdin: input,
    stdout: output,
    exitOnCtrlC: false,
    patchConsole: false,
    alternateScreen: true,
    incrementalRendering: true,
    interactive: true,
    maxFps: MOST_FRAMES_PER_S,
  });
  const closed = linkedAbort();
  const onResize = (): void => listener?.onResize();
  output.on("resize", onResize);
  return {
    room: () => roomOf(output),
    draw: (lines) => {
      if (!closed.signal.aborted) instance.rerender(createElement(Screen, { lines }));
    },
    listen: (next) => {
      const before = listener;
      listener = next;
      return before;
    },
    close: async () => {
      if (closed.signal.aborted) return;
      closed.abort("closed");
      closed.release();
      output.off("resize", onResize);
      const left = instance.waitUntilExit();
      instance.unmount();
      await left;
      // A stream that was drawn on may be drawn on again.
      instance.cleanup();
    },
  };
}
