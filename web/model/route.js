// What stands in the address: a place of the dashboard, and at first the token. Pure; unknown places lead to the tree.

/**
 * @typedef {object} Place
 * @property {"tree" | "task" | "chat" | "gpus" | "inbox" | "new"} page
 * @property {string | null} id A task's or a session's.
 * @property {number | null} at The cursor of the event that the page is to stand at; `null` follows what happens.
 * @property {string} query What the list is narrowed to.
 */

/** @type {readonly Place["page"][]} */
const PAGES = ["tree", "task", "chat", "gpus", "inbox", "new"];

/**
 * The token in a fragment such as `#token=ab12` or `#token=ab12&to=/task/x`, and the fragment without it.
 * @param {string} hash
 * @returns {{ readonly token: string | null, readonly rest: string }}
 */
export function tokenIn(hash) {
  if (!hash.startsWith("#token=")) return { token: null, rest: hash };
  const parts = new URLSearchParams(hash.slice(1));
  const to = parts.get("to") ?? "/";
  return { token: parts.get("token") || null, rest: `#${to.startsWith("/") ? to : "/"}` };
}

/**
 * The place that a fragment names.
 * @param {string} hash Such as `#/task/task_1?at=12`.
 * @returns {Place}
 */
export function placeOf(hash) {
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?", 2);
  const [, page = "", id = ""] = path.split("/");
  const params = new URLSearchParams(search);
  const at = params.get("at") ?? "";
  return {
    page: PAGES.find((known) => known === page) ?? "tree",
    id: id === "" ? null : decoded(id),
    at: /^\d{1,15}$/.test(at) ? Number(at) : null,
    query: params.get("q") ?? "",
  };
}

/**
 * The fragment of a place; what is not named is left out.
 * @param {Partial<Place>} place
 */
export function hashOf(place) {
  const { page = "tree", id = null, at = null, query = "" } = place;
  const path =
    page === "tree" && id === null ? "/" : `/${page}${id === null ? "" : `/${encodeURIComponent(id)}`}`;
  const params = new URLSearchParams();
  if (at !== null) params.set("at", String(at));
  if (query !== "") params.set("q", query);
  const search = params.toString();
  return `#${path}${search === "" ? "" : `?${search}`}`;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
