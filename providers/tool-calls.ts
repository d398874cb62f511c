// Tool calls as models ask for them: their ids, and arguments that may be no JSON. The runtime uses a call's id as the key of whatever the call creates, so an id must never come
// twice in one task; servers count from `call_0` in every answer, send nothing, or repeat themselves.

import type { Random } from "../src/base/ids.ts";
import { newId } from "../src/base/ids.ts";
import type { Message, ToolCall } from "../src/core/message.ts";
import { callsOf } from "../src/core/message.ts";
import { parseJson } from "./json.ts";

/** Shorter ids are counters (`call_0`, `0`), which start again with every answer. */
const SHORTEST_TRUSTED_ID = 9;

/** As much of arguments that are no JSON is kept, so that the model can be told what was wrong. */
const MAX_MALFORMED_CHARS = 2000;

/** Hands out the ids of one generation. */
export class CallIds {
  readonly #messages: readonly Message[];
  readonly #random: Random;
  #taken: Set<string> | undefined;

  constructor(messages: readonly Message[], random: Random) {
    this.#messages = messages;
    this.#random = random;
  }

  /** The server's id where it is long enough and new to this conversation, else one of ours. Never throws. */
  take(offered: string): string {
    this.#taken ??= new Set(this.#messages.flatMap((message) => callsOf(message).map((call) => call.id)));
    const usable = offered.length >= SHORTEST_TRUSTED_ID && !this.#taken.has(offered);
    const id = usable ? offered : newId("call", this.#random);
    this.#taken.add(id);
    return id;
  }
}

/** A call whose arguments came as text: decoded, none at all for an empty text, or kept as `malformed`. Never throws. */
export function decodedCall(id: string, name: string, text: string): ToolCall {
  if (text.trim() === "") return { id, name, arguments: {} };
  const parsed = parseJson(text);
  if (parsed) return { id, name, arguments: parsed.value };
  return { id, name, arguments: {}, malformed: text.slice(0, MAX_MALFORMED_CHARS) };
}

/** The arguments of an earlier call for sending back: what was no JSON is shown to the model as what it was. */
export function sentArguments(call: ToolCall): unknown {
  return call.malformed === undefined ? (call.arguments ?? {}) : { malformed_arguments: call.malformed };
}
