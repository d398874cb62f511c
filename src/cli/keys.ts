// `troupe keys`: which API keys there are, what became of each, and when it comes back; and a switch for each. Keys are
// shown by fingerprint and source, never by themselves.

import type { BoxApi, KeyView, ProviderView } from "../core/box-api.ts";
import type { KeyWord } from "../core/key-state.ts";
import { NotFoundError } from "../base/errors.ts";
import type { Command, Invocation } from "./command.ts";
import { connect } from "./connection.ts";
import { oneLine } from "./printable.ts";
import type { Line, Style } from "./printer.ts";
import { age } from "./task-lines.ts";
import { table } from "./table.ts";

const REASON_CHARS = 80;

const STYLES: Readonly<Record<KeyWord, Style>> = {
  ready: "green",
  throttled: "yellow",
  probing: "yellow",
  exhausted: "red",
  suspect: "yellow",
  dead: "red",
  disabled: "dim",
};

interface KeyRow {
  readonly provider: string;
  readonly key: KeyView;
}

function rowsOf(providers: readonly ProviderView[]): readonly KeyRow[] {
  return providers.flatMap(({ provider, keys }) => keys.map((key) => ({ provider, key })));
}

/** `in 12s`, `now`, or nothing where no time mends it. */
function backIn(until: number | null, now: number): string {
  if (until === null) return "";
  return until <= now ? "now" : `in ${age(until - now)}`;
}

/** Contract: pure; one line for each key, and one for each model that a key sits out. */
export function keyTable(rows: readonly KeyRow[], now: number): readonly Line[] {
  const heading = ["PROVIDER", "KEY", "SOURCE", "STATE", "BACK", "IN FLIGHT", "WHY"];
  const lines = rows.flatMap(({ provider, key }) => {
    const { inFlight, concurrency } = key;
    const flight = concurrency === null ? `${inFlight}` : `${inFlight} of ${concurrency}`;
    const name = [oneLine(provider, 20), key.fingerprint ?? "-", oneLine(key.source, 40)];
    const why = oneLine(key.reason ?? "", REASON_CHARS);
    const whole = { state: key.state, cells: [...name, key.state, backIn(key.until, now), flight, why] };
    const models = key.models.map(({ model, until, reason }) => {
      const cells = [
        "",
        "",
        oneLine(model, 40),
        "throttled",
        backIn(until, now),
        "",
        oneLine(reason, REASON_CHARS),
      ];
      return { state: "throttled" as const, cells };
    });
    return [whole, ...models];
  });
  return table(
    heading,
    lines.map(({ cells }) => cells),
    (text, { row, column }) => (column === 3 ? [STYLES[lines[row]?.state ?? "ready"], text] : text),
  );
}

export const listKeys: Command = async (invocation) => {
  const { printer, world } = invocation;
  const api = await connect(invocation);
  const rows = rowsOf(await api.providers());
  printer.document({ items: rows.map(({ provider, key }) => ({ provider, ...key })) });
  if (rows.length > 0) for (const line of keyTable(rows, world.clock.now())) printer.row(line);
  else printer.note("No provider has a key.");
  return "ok";
};

/** Contract: throws NotFoundError `key_not_found` for what no key, or more than one, begins with. */
async function findKey(api: BoxApi, beginning: string): Promise<string> {
  const all = rowsOf(await api.providers()).flatMap(({ key }) => key.fingerprint ?? []);
  const found = [...new Set(all)].filter((fingerprint) => fingerprint.startsWith(beginning));
  if (found.length === 1) return found[0] as string;
  const what = found.length === 0 ? "no key has" : `${found.length} keys have`;
  const message = `Expected the fingerprint of one key or its beginning, got ${JSON.stringify(beginning)}, which ${what}. \`troupe keys\` lists them.`;
  throw new NotFoundError("key_not_found", message);
}

const switching = (disabled: boolean): Command => {
  return async (invocation: Invocation) => {
    const { words, printer } = invocation;
    const api = await connect(invocation);
    const fingerprint = await findKey(api, words[0] as string);
    const items = await api.switchKey(fingerprint, disabled);
    printer.document({ items });
    const source = items.map((key) => key.source).join(", ");
    printer.note(`The key ${fingerprint} (${source}) is ${disabled ? "switched off" : "on again"}.`);
    return "ok";
  };
};

export const disableKey = switching(true);
export const enableKey = switching(false);
