// Pages and limits of a store's reads, the same for every implementation. A list cursor is the submission number
// of the last task of the page before, so a page never shifts while tasks are added.

import { badQuery } from "./refusals.ts";

/** Tasks of one page when no limit is given, and the most that one page holds. */
export const DEFAULT_PAGE = 100;
export const MAX_PAGE = 1_000;

const CURSOR = /^t([0-9a-z]{1,11})$/;

/** The opaque form of a place in the list. */
export function encodeCursor(order: number): string {
  return `t${order.toString(36)}`;
}

/** The place that a cursor stands for; 0, before the first, when absent. Throws InvalidRequestError `bad_cursor`. */
export function decodeCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const digits = CURSOR.exec(cursor)?.[1];
  const order = digits === undefined ? Number.NaN : Number.parseInt(digits, 36);
  if (!Number.isSafeInteger(order)) throw badQuery("cursor", "the nextCursor of the page before", cursor);
  return order;
}

/** The size of a list page: capped at MAX_PAGE. Throws InvalidRequestError `bad_limit`. */
export function pageLimit(limit: number | undefined): number {
  return Math.min(rowLimit(limit ?? DEFAULT_PAGE), MAX_PAGE);
}

/** The most rows of a read; no bound when absent. Throws InvalidRequestError `bad_limit`. */
export function rowLimit(limit: number | undefined): number {
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  if (!Number.isSafeInteger(limit) || limit < 1) throw badQuery("limit", "a whole number from 1", limit);
  return limit;
}

/** Where a read starts. Throws InvalidRequestError `bad_after`. */
export function rowsAfter(after: number | undefined): number {
  if (after === undefined) return 0;
  if (!Number.isSafeInteger(after) || after < 0) throw badQuery("after", "a whole number from 0", after);
  return after;
}
