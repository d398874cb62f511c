// Whether the server behind an OpenAI-compatible address is an Ollama, which is better driven natively: its `/v1`
// has no context window, no `keep_alive` and no timings. It asks one question and decides nothing about the config.

import { deadline, linkedAbort, withSignal } from "../src/base/abort.ts";
import type { Clock } from "../src/base/clock.ts";
import { CancelledError } from "../src/base/errors.ts";
import { objectOf, textOf } from "./json.ts";

const PROBE_MS = 3000;

export interface DetectOptions {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * `ollama`: drive it natively at `baseUrl` (the address without `/v1`). `other`: something else answered, or the
 * address does not end in `/v1`. `unreachable`: nobody answered within 3 s, so nothing is known; `baseUrl` is where
 * an Ollama would be.
 */
export interface Detection {
  readonly answer: "ollama" | "other" | "unreachable";
  readonly baseUrl: string;
}

/** Asks `/api/version`. Sends no credential. Throws the signal's reason and nothing else. */
export async function detectOllama(baseUrl: string, options: DetectOptions): Promise<Detection> {
  const match = /^(https?:\/\/.+?)\/v1\/*$/i.exec(baseUrl);
  const root = match?.[1];
  if (root === undefined) return { answer: "other", baseUrl };
  const link = linkedAbort(options.signal);
  const limit = deadline(options.clock, PROBE_MS, () => link.abort(new CancelledError("Nobody answered.")));
  try {
    const url = `${root}/api/version`;
    const asked = options.fetch(url, { signal: link.signal, redirect: "manual" });
    const response = await withSignal(asked, link.signal);
    const text = response.ok ? await withSignal(response.text(), link.signal) : "";
    return isVersion(text) ? { answer: "ollama", baseUrl: root } : { answer: "other", baseUrl };
  } catch {
    options.signal.throwIfAborted();
    return { answer: "unreachable", baseUrl: root };
  } finally {
    limit.cancel();
    link.release();
    link.abort(new CancelledError("The question was answered."));
  }
}

function isVersion(text: string): boolean {
  try {
    return textOf(objectOf(JSON.parse(text))["version"]) !== "";
  } catch {
    return false;
  }
}
