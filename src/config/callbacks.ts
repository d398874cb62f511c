// The programs that are told how tasks end, as the config names them. Pure.

import type { Config } from "../core/config-schema.ts";
import type { CallbackSettings } from "../core/settings.ts";

export function callbackSettings({ callbacks }: Pick<Config, "callbacks">): readonly CallbackSettings[] {
  return Object.entries(callbacks).map(([name, { url, events, token }]) => ({
    name,
    url,
    events,
    token: token ?? null,
  }));
}

/** Where the key of a callback stands, and under which name its credential is asked for. */
export function callbackKey(name: string): string {
  return `callbacks.${name}.token`;
}
