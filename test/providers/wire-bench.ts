// The bench of the wire suites: a raw server per test, and one generation read to its end.

import { expect } from "vitest";
import { ProviderError } from "../../src/base/errors.ts";
import type { ProviderOptions } from "../../providers/provider.ts";
import type { Collected } from "./collect.ts";
import type { Dialect } from "./dialect.ts";
import type { WireExchange, WireServer } from "./wire-server.ts";

export const END = { reason: "stop", promptTokens: 3, outputTokens: 2 } as const;

export type Answer = (exchange: WireExchange) => void | Promise<void>;

export interface Bench {
  readonly dialect: Dialect;
  readonly serve: (answer?: Answer) => Promise<WireServer>;
  /** Serves the answer, generates once, and reads to the end. */
  readonly generate: (answer: Answer, options?: Partial<ProviderOptions>) => Promise<Collected>;
  /** Sends these bytes as a whole body of the dialect's type. */
  readonly body: (text: string) => Answer;
}

export function failureOf(got: Collected): ProviderError {
  expect(got.error).toBeInstanceOf(ProviderError);
  expect(got.events.some((event) => event.type === "finished")).toBe(false);
  return got.error as ProviderError;
}
