// The keyboard: one table of keys, asked by the page that is open. Whoever types into a field is left alone, but for Escape.

import { signal } from "@preact/signals";

/** @typedef {Readonly<Record<string, () => void>>} KeyTable */

/** Whether the list of keys is shown. */
export const isHelpOpen = signal(false);

/** @type {KeyTable[]} */
const tables = [];

/**
 * Takes keys until it is called off; the newest table goes first.
 * @param {KeyTable} table
 * @param {boolean} [isLast] Whether it is for keys that nobody else wants, however new it is.
 * @returns {() => void}
 */
export function takeKeys(table, isLast = false) {
  if (isLast) tables.unshift(table);
  else tables.push(table);
  return () => {
    const at = tables.indexOf(table);
    if (at >= 0) tables.splice(at, 1);
  };
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** @param {KeyboardEvent} event */
function press(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const { key, target } = event;
  // A dialog has its own keys, Escape above all.
  if (document.querySelector("dialog[open]") !== null) return;
  if (isTyping(target)) {
    if (key === "Escape" && target instanceof HTMLElement) target.blur();
    return;
  }
  // A focused button or link keeps the keys that belong to it.
  if (
    (key === "Enter" || key === " ") &&
    target instanceof HTMLElement &&
    /^(A|BUTTON|SUMMARY)$/.test(target.tagName)
  )
    return;
  for (const table of tables.toReversed()) {
    const act = table[key];
    if (act === undefined) continue;
    event.preventDefault();
    act();
    return;
  }
}

export function followKeys() {
  addEventListener("keydown", press);
}
