// What came out of a generation: its events, and what ended it when that was no good end.

import type { Message } from "../../src/core/message.ts";
import { textMessage } from "../../src/core/message.ts";
import type { GenerateRequest, ProviderEvent } from "../../providers/provider.ts";

export interface Collected {
  readonly events: readonly ProviderEvent[];
  readonly text: string;
  readonly thinking: string;
  readonly error: unknown;
}

/** Reads to the end; `onEvent` sees each event at once. */
export async function collect(
  stream: AsyncIterable<ProviderEvent>,
  onEvent: (event: ProviderEvent) => void = () => {},
): Promise<Collected> {
  const events: ProviderEvent[] = [];
  let error: unknown;
  try {
    for await (const event of stream) {
      events.push(event);
      onEvent(event);
    }
  } catch (thrown) {
    error = thrown;
  }
  const join = (type: "text" | "thinking"): string =>
    events.map((event) => (event.type === type ? event.text : "")).join("");
  return { events, text: join("text"), thinking: join("thinking"), error };
}

/** A small request; `overrides` replace its fields. */
export function requestFor(model: string, overrides: Partial<GenerateRequest> = {}): GenerateRequest {
  const messages: readonly Message[] = [textMessage("user", "goal", "Say something.")];
  return { model, messages, tools: [], maxOutputTokens: 64, ...overrides };
}

/** A signal that never aborts. */
export function never(): AbortSignal {
  return new AbortController().signal;
}
