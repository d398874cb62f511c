// Ids of tool calls. The runtime uses a call's id as the key of whatever the call creates, so an id must never come
// twice in one task; servers count from `call_0` in every answer, send nothing, or repeat themselves.

import type { Random } from "../src/base/ids.ts";
import { newId } from "../src/base/ids.ts";
import type { Message } from "../src/core/message.ts";
import { callsOf } from "../src/core/message.ts";

/** Shorter ids are counters (`call_0`, `0`), which start again with every answer. */
const SHORTEST_TRUSTED_ID = 9;

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
