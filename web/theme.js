// Light, dark, or as the system has it: a switch that this browser remembers.

import { effect, signal } from "@preact/signals";
import { lastingMemory } from "./browser.js";

const NAME = "troupe.theme";
const THEMES = /** @type {const} */ (["system", "light", "dark"]);
/** @typedef {typeof THEMES[number]} Theme */

export const theme = signal(
  /** @type {Theme} */ (THEMES.find((known) => known === lastingMemory.get(NAME)) ?? "system"),
);

export function nextTheme() {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "system";
  lastingMemory.set(NAME, theme.value === "system" ? null : theme.value);
}

export function followTheme() {
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
  });
}
