// `troupe tokens`: access tokens beside the server's own, each with a scope and a name. They are files in Troupe's home, so
// that whoever may write there makes them, with a server or without one; no request can.

import { ConfigError, messageOf, TroupeError } from "../base/errors.ts";
import type { Scope } from "../core/api.ts";
import { listTokens, makeToken, revokeToken, type MadeToken, type TokenFolder } from "../http/made-tokens.ts";
import { SCOPES } from "../http/route-scopes.ts";
import type { Command, Invocation } from "./command.ts";
import { configOf, tokenFolder } from "./connection.ts";
import { usageError } from "./flags.ts";
import { table } from "./table.ts";

const ID_CHARS = "tok_".length + 8;

/** Runs `work` on the folder. Contract: what the file system says becomes ConfigError `token_unwritable`. */
async function inFolder<T>(invocation: Invocation, work: (at: TokenFolder) => Promise<T>): Promise<T> {
  const at = tokenFolder(invocation.world, await configOf(invocation));
  try {
    return await work(at);
  } catch (thrown) {
    if (thrown instanceof TroupeError) throw thrown;
    throw new ConfigError(
      "token_unwritable",
      `Expected to use ${at.folder}, got: ${messageOf(thrown)}. Make that folder writable, or point TROUPE_HOME ` +
        "(or the config key server.token_file) to one that is.",
      { cause: thrown, details: { path: at.folder, config_key: "server.token_file" } },
    );
  }
}

export const listMadeTokens: Command = async (invocation) => {
  const { printer } = invocation;
  const items = await inFolder(invocation, listTokens);
  printer.document({ items });
  if (items.length === 0) {
    printer.note(
      `None beside the server's own. Make one with: ${printer.program} tokens add --scope read --name NAME`,
    );
    return "ok";
  }
  for (const line of table(["ID", "NAME", "SCOPE", "MADE"], items.map(cellsOf))) printer.row(line);
  return "ok";
};

function cellsOf({ id, name, scope, createdAt }: MadeToken): readonly string[] {
  return [id.slice(0, ID_CHARS), name, scope, new Date(createdAt).toISOString().slice(0, 19)];
}

export const addToken: Command = async (invocation) => {
  const { flags, printer, world } = invocation;
  const name = flags.text("name");
  if (name === undefined)
    throw usageError("Expected --name with what the record calls whoever uses the token.");
  const scope = scopeOf(flags.text("scope"));
  const now = world.clock.now();
  const made = await inFolder(invocation, (at) => makeToken(at, { name, scope, now, random: world.random }));
  const { secret, ...token } = made;
  printer.document({ ...token, token: secret });
  printer.data(secret);
  printer.note(
    `That is the token of ${name}, with the scope ${scope}; it is shown this once. Whoever has it may use it:`,
  );
  printer.note(`  TROUPE_URL=… TROUPE_TOKEN=… ${printer.program} tree`);
  return "ok";
};

/** Contract: throws the usage error for what is no scope; none is the default, since the word decides a lot. */
function scopeOf(word: string | undefined): Scope {
  const scope = SCOPES.find((each) => each === word);
  if (scope) return scope;
  const got = word === undefined ? "none" : JSON.stringify(word);
  throw usageError(`Expected --scope to be one of ${SCOPES.join(", ")}, got ${got}.`);
}

export const revokeMadeToken: Command = async (invocation) => {
  const { words, printer } = invocation;
  const token = await inFolder(invocation, (at) => revokeToken(at, words[0] as string));
  printer.document({ ...token, revoked: true });
  printer.note(`The token of ${token.name} (${token.id.slice(0, ID_CHARS)}) is worth nothing any more.`);
  return "ok";
};
