// Lines of a drawing: what is seen of one that begins in a box, a point along it, and a smooth path that follows it. Pure.

/** @typedef {{ readonly x: number, readonly y: number }} Point */
/** @import { Box } from "./box.js" */

/**
 * The part of a line that lies outside of the box that it begins in, from its border on.
 *
 * @param {readonly Point[]} points
 * @param {Box} box
 * @returns {readonly Point[]}
 */
export function withoutStart(points, box) {
  const last = points.findLastIndex((point) => contains(box, point));
  if (last < 0 || last === points.length - 1) return points;
  const inside = points[last] ?? { x: 0, y: 0 };
  return [borderPoint(box, inside, points[last + 1] ?? inside), ...points.slice(last + 1)];
}

/**
 * The point at a share of a line's length.
 *
 * @param {readonly Point[]} points At least one.
 * @param {number} share From 0 to 1.
 * @returns {Point}
 */
export function along(points, share) {
  const lengths = points.slice(1).map((to, index) => distance(points[index] ?? to, to));
  let left = lengths.reduce((sum, length) => sum + length, 0) * share;
  for (const [index, length] of lengths.entries()) {
    const [from, to] = [points[index], points[index + 1]];
    if (from && to && left <= length && length > 0) return mixed(from, to, left / length);
    left -= length;
  }
  return points.at(-1) ?? { x: 0, y: 0 };
}

/**
 * @param {Point} a
 * @param {Point} b
 */
function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/**
 * Whether a point lies in a box, its border not among it.
 *
 * @param {Box} box
 * @param {Point} point
 */
function contains({ x, y, width, height }, point) {
  const near = 0.5;
  return (
    point.x > x + near && point.x < x + width - near && point.y > y + near && point.y < y + height - near
  );
}

/**
 * Where the way from a point in a box to one outside of it crosses the border.
 *
 * @param {Box} box
 * @param {Point} inside
 * @param {Point} outside
 * @returns {Point}
 */
function borderPoint(box, inside, outside) {
  const [dx, dy] = [outside.x - inside.x, outside.y - inside.y];
  const toX = dx === 0 ? Infinity : ((dx > 0 ? box.x + box.width : box.x) - inside.x) / dx;
  const toY = dy === 0 ? Infinity : ((dy > 0 ? box.y + box.height : box.y) - inside.y) / dy;
  const share = Math.min(toX, toY, 1);
  return { x: inside.x + dx * share, y: inside.y + dy * share };
}

/**
 * A smooth path that begins and ends where the line does and follows it between (a cubic B-spline), for an SVG path's `d`.
 *
 * @param {readonly Point[]} points
 * @returns {string} Empty for fewer than two points.
 */
export function spline(points) {
  const [first, second] = points;
  const last = points.at(-1);
  if (!first || !second || !last) return "";
  if (points.length === 2) return `M${at(first)}L${at(last)}`;
  const parts = [`M${at(first)}`, `L${at(mixed(first, second, 1 / 6))}`];
  for (let index = 1; index < points.length; index += 1) {
    const before = points[index - 1] ?? first;
    const here = points[index] ?? last;
    const after = points[index + 1] ?? last;
    const end = {
      x: (before.x + 4 * here.x + after.x) / 6,
      y: (before.y + 4 * here.y + after.y) / 6,
    };
    parts.push(`C${at(mixed(before, here, 1 / 3))} ${at(mixed(before, here, 2 / 3))} ${at(end)}`);
  }
  return `${parts.join("")}L${at(last)}`;
}

/**
 * The point at a share of the way from one to another.
 *
 * @param {Point} a
 * @param {Point} b
 * @param {number} share
 * @returns {Point}
 */
function mixed(a, b, share) {
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
}

/** @param {Point} point */
function at({ x, y }) {
  return `${round(x)},${round(y)}`;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
