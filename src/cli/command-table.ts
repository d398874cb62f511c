// Every command of `troupe`: how it is called, and the module that is loaded when it is. Nothing here does anything.

import type { CommandSpec, RawCommandSpec } from "./command.ts";
import { CLIENT_FLAGS, CONFIG_FLAG } from "./connection.ts";
import type { FlagSpec } from "./flags.ts";
import { ACCESS_COMMANDS } from "./access-commands.ts";
import { WATCHING_COMMANDS } from "./watching-commands.ts";
import { WORKTREE_COMMANDS } from "./worktree-commands.ts";

/** Flags of every command. */
export const COMMON_FLAGS: readonly FlagSpec[] = [
  { name: "json", help: "JSON on stdout and nothing else there" },
  { name: "help", short: "h", help: "this text" },
];

const WAIT: FlagSpec = {
  name: "wait-s",
  value: "SECONDS",
  help: "wait at most so long (default: until the end)",
};
const NONE = { least: 0, most: 0 } as const;
const ONE = { least: 1, most: 1 } as const;
const KEY_HELP = "FINGERPRINT is a key's fingerprint or its beginning, as `troupe keys` shows it.";
const ID_HELP = "ID is a task's id or its beginning.";

export const RAW_COMMANDS: readonly RawCommandSpec[] = [
  {
    name: "demo",
    summary: "a conversation with three children on a simulated GPU box; needs nothing",
    usage: "[--json] [--ollama --model NAME [--parent-model NAME]]",
    run: async (args, world) => {
      const { runDemo } = await import("./demo.ts");
      return runDemo(args, world);
    },
  },
];

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "serve",
    summary: "start the server (npm start does this)",
    details: [
      "Tasks that an earlier server left go on. Ctrl-C stops it: what is under way has server.shutdown_grace_s",
      "to end, and the rest goes on at the next start. A second Ctrl-C stops it at once.",
      "With --json, one line on stdout once it listens.",
    ],
    words: NONE,
    flags: [
      CONFIG_FLAG,
      { name: "host", value: "ADDRESS", help: "listen there instead of server.host" },
      { name: "port", value: "PORT", help: "listen there instead of server.port; 0 takes any free one" },
      { name: "simulate", help: "on a simulated GPU box, whose models are rules: for trying things out" },
      { name: "store", value: "FILE", help: "keep tasks there instead of in store.path" },
    ],
    endsItself: true,
    load: async () => (await import("./serve.ts")).serve,
  },
  {
    name: "init",
    summary: "write a commented config.yaml from what is found on this machine",
    words: NONE,
    flags: [
      { name: "config", value: "FILE", help: "write there (default: ./config.yaml)" },
      { name: "force", help: "overwrite what is there" },
    ],
    load: async () => (await import("./init.ts")).init,
  },
  {
    name: "doctor",
    summary: "look at GPUs, model servers, config and files, and say how to mend what is wrong",
    words: NONE,
    flags: [CONFIG_FLAG],
    load: async () => (await import("./doctor.ts")).doctor,
  },
  {
    name: "delegate",
    summary: "give a goal to a child and print its result",
    usage: '"goal"',
    details: [
      "The child knows the goal and the context, and nothing else.",
      "Ctrl-C cancels the task and waits for it to let go; a second Ctrl-C leaves at once.",
    ],
    words: ONE,
    flags: [
      { name: "async", help: "print the task's id and leave, whatever the config says of the agent" },
      { name: "wait", help: "wait for the result, whatever the config says of the agent" },
      { name: "agent", value: "NAME", help: "an agent of the config" },
      { name: "toolset", value: "NAME", multiple: true, help: "what it may use; may be given several times" },
      { name: "context", value: "TEXT", help: "what it must know beside the goal; - reads it from stdin" },
      { name: "model", value: "MODEL", help: "provider/model, or a model's name" },
      {
        name: "isolation",
        value: "MODE",
        help: "worktree: a git worktree of its own; shared: the workspace",
      },
      {
        name: "budget",
        value: "KEY=N",
        multiple: true,
        help: "what it and its children may use: tokens, cost_micros, gpu_ms or tool_calls",
      },
      { name: "wait-s", value: "SECONDS", help: "wait at most so long; the task goes on (exit code 8)" },
      ...CLIENT_FLAGS,
    ],
    endsItself: true,
    load: async () => (await import("./delegate.ts")).delegate,
  },
  {
    name: "tasks ls",
    summary: "list tasks, the newest last",
    words: NONE,
    flags: [
      { name: "state", value: "STATE", help: "only those in this state" },
      { name: "parent", value: "ID", help: "only the children of this task" },
      { name: "limit", value: "N", help: "at most so many of the newest (default: 50)" },
      ...CLIENT_FLAGS,
    ],
    load: async () => (await import("./tasks.ts")).listTasks,
  },
  {
    name: "tasks get",
    summary: "show one task",
    usage: "ID",
    details: [ID_HELP],
    words: ONE,
    flags: CLIENT_FLAGS,
    load: async () => (await import("./tasks.ts")).getTask,
  },
  {
    name: "tasks steer",
    summary: "send a running task a message",
    usage: 'ID "message"',
    details: [ID_HELP],
    words: { least: 2, most: 2 },
    flags: [
      { name: "interrupt", help: "break off what it is writing, instead of waiting for its next turn" },
      ...CLIENT_FLAGS,
    ],
    load: async () => (await import("./tasks.ts")).steerTask,
  },
  {
    name: "tasks answer",
    summary: "answer what a task asks, or allow or deny its calls by yes or no",
    usage: 'ID "text"',
    details: [ID_HELP, "Anything but a plain yes denies a call, and the task is told it as the reason."],
    words: { least: 2, most: 2 },
    flags: CLIENT_FLAGS,
    load: async () => (await import("./tasks.ts")).answerTask,
  },
  {
    name: "tasks collect",
    summary: "wait for a task and print its result",
    usage: "ID",
    details: [ID_HELP, "Ctrl-C leaves; the task goes on."],
    words: ONE,
    flags: [WAIT, ...CLIENT_FLAGS],
    load: async () => (await import("./tasks.ts")).collectTask,
  },
  {
    name: "tasks cancel",
    summary: "cancel a task and everything below it",
    usage: "ID",
    details: [ID_HELP],
    words: ONE,
    flags: [
      { name: "force", help: "do not wait for it to let go" },
      { name: "reason", value: "TEXT", help: "what the record says" },
      ...CLIENT_FLAGS,
    ],
    load: async () => (await import("./tasks.ts")).cancelTask,
  },
  {
    name: "tasks tail",
    summary: "print the last lines that a task wrote",
    usage: "ID",
    details: [ID_HELP, "With --follow, what it writes comes to stdout and what happens to it to stderr."],
    words: ONE,
    flags: [
      { name: "follow", short: "f", help: "go on until the task ends" },
      { name: "lines", value: "N", help: "at most so many of the last lines (default: 10)" },
      ...CLIENT_FLAGS,
    ],
    load: async () => (await import("./tail.ts")).tailTask,
  },
  ...WATCHING_COMMANDS,
  {
    name: "keys",
    summary: "show the API keys of the providers: what became of each, why, and when it is back",
    details: ["A key is shown by its fingerprint and by where it comes from, never by itself."],
    words: NONE,
    flags: CLIENT_FLAGS,
    load: async () => (await import("./keys.ts")).listKeys,
  },
  {
    name: "keys disable",
    summary: "switch an API key off until it is enabled",
    usage: "FINGERPRINT",
    details: [KEY_HELP],
    words: ONE,
    flags: CLIENT_FLAGS,
    load: async () => (await import("./keys.ts")).disableKey,
  },
  {
    name: "keys enable",
    summary: "switch an API key on again, whatever had become of it",
    usage: "FINGERPRINT",
    details: [KEY_HELP],
    words: ONE,
    flags: CLIENT_FLAGS,
    load: async () => (await import("./keys.ts")).enableKey,
  },
  ...ACCESS_COMMANDS,
  ...WORKTREE_COMMANDS,
  {
    name: "chat",
    summary: "talk with an agent that delegates; you can type while children work",
    details: [
      "While you talk: /agents  /tree  /steer ID message  /answer ID text  /cancel ID  /stop  /leave  /quit",
      "/quit, Ctrl-D and Ctrl-C close the session and cancel its children; /leave lets them go on.",
      "Through a pipe it sends line by line, and ends when everything asked for has been answered.",
    ],
    words: NONE,
    flags: [
      { name: "agent", value: "NAME", help: "an agent of the config, instead of the session's own" },
      { name: "model", value: "MODEL", help: "provider/model, or a model's name" },
      { name: "session", value: "ID", help: "go on with this session" },
      ...CLIENT_FLAGS,
    ],
    endsItself: true,
    load: async () => (await import("./chat.ts")).chat,
  },
  {
    name: "backup",
    summary: "copy the store into a new file, also while a server runs",
    usage: "FILE",
    details: [
      "The copy is whole and packed. To go back to it: stop the server, remove the store's -wal file if there is",
      "one, and put the copy in the store's place. The file box-id of Troupe's home belongs to it.",
    ],
    words: ONE,
    flags: [{ name: "store", value: "FILE", help: "the store to copy (default: store.path)" }, CONFIG_FLAG],
    load: async () => (await import("./database.ts")).backup,
  },
  {
    name: "db check",
    summary: "read the whole store, or a copy of it, and say what is wrong; exit code 3 then",
    usage: "[FILE]",
    words: { least: 0, most: 1 },
    flags: [CONFIG_FLAG],
    load: async () => (await import("./database.ts")).checkDatabase,
  },
  {
    name: "version",
    summary: "print the version of Troupe, and that of the runtime",
    words: NONE,
    flags: [],
    load: async () => (await import("./print-version.ts")).printVersion,
  },
];
