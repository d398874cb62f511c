// The commands of the table that give other programs and people access, and take it from them. Nothing here does anything.

import type { CommandSpec } from "./command.ts";
import { CONFIG_FLAG } from "./connection.ts";

const SCOPE_HELP =
  "read looks, control starts, steers and ends tasks too, admin also pauses and switches keys";

export const TOKEN_COMMANDS: readonly CommandSpec[] = [
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
    summary: "take an access token back; a server that runs lets go of whoever uses it within two seconds",
    usage: "ID",
    details: ["ID is a token's id, the beginning of it, or its name, as `troupe tokens` shows them."],
    words: { least: 1, most: 1 },
    flags: [CONFIG_FLAG],
    load: async () => (await import("./tokens.ts")).revokeMadeToken,
  },
];
