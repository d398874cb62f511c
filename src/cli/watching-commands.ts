// The commands of the table that look at a box, or at what became of one. Nothing here does anything.

import type { CommandSpec } from "./command.ts";
import { CLIENT_FLAGS } from "./connection.ts";

export const WATCHING_COMMANDS: readonly CommandSpec[] = [
  {
    name: "tree",
    summary: "show who delegated what to whom",
    usage: "[ID]",
    words: { least: 0, most: 1 },
    flags: [{ name: "watch", short: "w", help: "show it again whenever it changes" }, ...CLIENT_FLAGS],
    load: async () => (await import("./tree.ts")).tree,
  },
  {
    name: "gpus",
    summary: "show each GPU's lanes and models, who holds a slot, and who waits, for how long and why",
    words: { least: 0, most: 0 },
    flags: CLIENT_FLAGS,
    load: async () => (await import("./gpus.ts")).listGpus,
  },
  {
    name: "machine",
    summary: "show a state machine that tasks or models go through; without a name, which there are",
    usage: "[NAME]",
    words: { least: 0, most: 1 },
    flags: [{ name: "mermaid", help: "as a mermaid diagram, for a document" }],
    load: async () => (await import("./machine.ts")).machine,
  },
  {
    name: "inspect",
    summary: "show what the state machines at work do, as it happens",
    details: [
      "States and kinds of events, never a text. With --json, a message a line.",
      "--stately prints the address of a page of this machine that shows them in Stately's Inspector.",
    ],
    words: { least: 0, most: 0 },
    flags: [{ name: "stately", help: "in Stately's Inspector, which needs the internet" }, ...CLIENT_FLAGS],
    endsItself: true,
    load: async () => (await import("./inspect.ts")).inspect,
  },
  {
    name: "top",
    summary: "watch tasks and GPU lanes live, with keys to steer, cancel, pause and follow; ? lists them",
    usage: "[ID]",
    details: [
      "With ID, only that task and what is below it. It attaches to any server that --url names.",
      "Where no person looks at a screen, and with --json, plain snapshots whenever something changed.",
    ],
    words: { least: 0, most: 1 },
    flags: [{ name: "once", help: "one plain snapshot" }, ...CLIENT_FLAGS],
    endsItself: true,
    load: async () => (await import("./top/top.ts")).top,
  },
  {
    name: "export",
    summary: "write what is known of a task, or of a tree, into one file to look at again",
    usage: "[ID]",
    details: [
      "Either ID, for that task alone, or --tree.",
      "The file holds goals, messages, results and events, as they are stored: secrets of the config are not in it,",
      "and what a person or a tool wrote is. Without --output it goes to stdout.",
    ],
    words: { least: 0, most: 1 },
    flags: [
      { name: "tree", value: "ID", help: "the task and everything below it" },
      { name: "output", short: "o", value: "FILE", help: "a new file, readable by its owner only" },
      ...CLIENT_FLAGS,
    ],
    load: async () => (await import("./replay/export.ts")).exportTask,
  },
  {
    name: "replay",
    summary: "look at an exported task again, event by event; nothing in the file can start anything",
    usage: "FILE",
    details: ["In the dashboard, on this machine only, until Ctrl-C; or in the terminal."],
    words: { least: 1, most: 1 },
    flags: [
      { name: "terminal", short: "t", help: "on the screen of this terminal" },
      { name: "port", value: "PORT", help: "serve the dashboard there (default: any free one)" },
    ],
    endsItself: true,
    load: async () => (await import("./replay/replay.ts")).replay,
  },
];
