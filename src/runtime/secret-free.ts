// Takes secrets out of a model's tool calls before anything is stored, shown or run. Its text was freed of them while it
// came (generation.ts); what is a secret, the credentials know.

import type { ToolCall } from "../core/message.ts";
import type { Generation } from "./generation.ts";

type Redact = (text: string) => string;

/** The generation with calls that hold no secret; the same one when they held none. Contract: never throws. */
export function withoutSecrets(generation: Generation, redact: Redact): Generation {
  const calls = generation.calls.map((call) => freeCall(call, redact));
  const isSame = calls.every((call, index) => call === generation.calls[index]);
  return isSame ? generation : { ...generation, calls };
}

function freeCall(call: ToolCall, redact: Redact): ToolCall {
  // One look at the whole is cheap; hardly any call is ever taken apart.
  const whole = JSON.stringify(call);
  if (redact(whole) === whole) return call;
  return {
    ...call,
    name: redact(call.name),
    arguments: freeValue(call.arguments, redact) as ToolCall["arguments"],
    ...(call.malformed !== undefined && { malformed: redact(call.malformed) }),
  };
}

function freeValue(value: unknown, redact: Redact): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((item) => freeValue(item, redact));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [redact(key), freeValue(item, redact)]);
  return Object.fromEntries(entries) as unknown;
}
