// What src/base is to the server: the one file of the dashboard that reaches the browser's clock, network, storage and
// address bar. It decides nothing.

/** Milliseconds since the epoch. */
export function now() {
  return Date.now();
}

/**
 * Calls `act` once after `ms` milliseconds.
 * @param {number} ms
 * @param {() => void} act
 * @returns {() => void} Calls it off.
 */
export function after(ms, act) {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

/**
 * Fetches a path of the server that the page came from: nothing of other sites, no cookies, no redirects.
 * @param {string} path
 * @param {RequestInit} init
 */
export function request(path, init) {
  // Nothing that a server answers is kept: what is shown is what is.
  return fetch(new URL(path, location.origin), {
    ...init,
    credentials: "omit",
    redirect: "error",
    cache: "no-store",
  });
}

/** @param {string} path */
export function openSocket(path) {
  const url = new URL(path, location.origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url);
}

/**
 * Calls `act` before the next picture is drawn; a page that is not seen draws seldom, so a timer goes before.
 * @param {() => void} act
 */
export function beforePaint(act) {
  if (document.hidden) setTimeout(act, 250);
  else requestAnimationFrame(act);
}

/** A new random id of 128 bits, for calls that may be made again. */
export function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** What this tab remembers until it is closed; a browser that keeps nothing forgets it at once. */
export const tabMemory = memoryOver(() => sessionStorage);
/** What this browser remembers: looks, never secrets. */
export const lastingMemory = memoryOver(() => localStorage);

/** @param {() => Storage} storage */
function memoryOver(storage) {
  return {
    /**
     * @param {string} name
     * @returns {string | null}
     */
    get(name) {
      try {
        return storage().getItem(name);
      } catch {
        return null;
      }
    },
    /**
     * @param {string} name
     * @param {string | null} value `null` forgets it.
     */
    set(name, value) {
      try {
        if (value === null) storage().removeItem(name);
        else storage().setItem(name, value);
      } catch {
        // A full or forbidden storage: the page works, and asks again after a reload.
      }
    },
  };
}
