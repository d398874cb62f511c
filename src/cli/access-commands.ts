// The commands of the table about who may come in, and about what they did. Nothing here does anything.

import type { CommandSpec } from "./command.ts";
import { CONFIG_FLAG } from "./connection.ts";

const SCOPE_HELP =
  "read looks, control starts, steers and ends tasks too, admin also pauses and switches keys";

export const ACCESS_COMMANDS: readonly CommandSpec[] = [
  {
    name: "tokens",
    summary: "list the access tokens that were made beside the server's own",
    words: { least: 0, most: 0 },
    flags: [CONFIG_FLAG],
    load: async () => (await import("./tokens.ts")).listMadeTokens,
  },
  {
    name: "tokens ls",
    summary: "the same",
    words: { least: 0, most: 0 },
    flags: [CONFIG_FLAG],
    load: async () => (await import("./tokens.ts")).listMadeTokens,
  },
  {
    name: "tokens add",
    summary: "make an access token and print it, this once",
    details: ["A server that runs takes it from now on. What is kept of it is a hash."],
    words: { least: 0, most: 0 },
    flags: [
      { name: "scope", value: "SCOPE", help: SCOPE_HELP },
      { name: "name", value: "NAME", help: "what the record calls whoever uses it" },
      CONFIG_FLAG,
    ],
    load: async () => (await import("./tokens.ts")).addToken,
  },
  {
    name: "tokens revoke",
    summary: "take an access token back; a running server lets go of its user within two seconds",
    usage: "ID",
    details: ["ID is a token's id, the beginning of it, or its name, as `troupe tokens` shows them."],
    words: { least: 1, most: 1 },
    flags: [CONFIG_FLAG],
    load: async () => (await import("./tokens.ts")).revokeMadeToken,
  },
  {
    name: "audit ls",
    summary: "list who asked for what, and which tools ran: the newest last",
    usage: "[FILE]",
    details: ["What was asked is shown as a digest, never as itself."],
    words: { least: 0, most: 1 },
    flags: [{ name: "limit", value: "N", help: "at most so many of the newest (default: 50)" }, CONFIG_FLAG],
    load: async () => (await import("./audit.ts")).listAudit,
  },
  {
    name: "audit verify",
    summary: "name the audit log's first row that was changed, moved or is missing; exit code 3 then",
    usage: "[FILE]",
    details: [
      "It prints the hash of the last row. Kept elsewhere and given back as --head, it also shows whether rows",
      "were cut off the end, which the log alone cannot. Full files lie in FILE.d; where you moved the oldest away,",
      "--after takes the hash that was the last of them.",
    ],
    words: { least: 0, most: 1 },
    flags: [
      { name: "head", value: "HASH", help: "a row's hash that the log must still hold" },
      { name: "after", value: "HASH", help: "the hash of the row before the first that is there" },
      CONFIG_FLAG,
    ],
    load: async () => (await import("./audit.ts")).verifyAudit,
  },
];
