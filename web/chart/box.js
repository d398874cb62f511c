// Boxes of a drawing: around others, around a line, and whether two are in each other's way. Pure geometry.

/** @typedef {{ readonly x: number, readonly y: number, readonly width: number, readonly height: number }} Box `x` and `y` are its left top corner. */

/** @import { Point } from "./curve.js" */

/**
 * From a middle, as dagre gives it, to a corner.
 *
 * @param {{ x?: number, y?: number, width?: number, height?: number }} label
 * @returns {Box}
 */
export function cornered({ x = 0, y = 0, width = 0, height = 0 }) {
  return { x: x - width / 2, y: y - height / 2, width, height };
}

/**
 * Whether two boxes are nearer to each other than `gap`.
 *
 * @param {Box} a
 * @param {Box} b
 * @param {number} [gap]
 */
export function overlap(a, b, gap = 0) {
  return (
    a.x < b.x + b.width + gap &&
    b.x < a.x + a.width + gap &&
    a.y < b.y + b.height + gap &&
    b.y < a.y + a.height + gap
  );
}

/**
 * The box around all of them.
 *
 * @param {readonly Box[]} boxes
 * @returns {Box}
 */
export function around(boxes) {
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}

/**
 * The boxes around each straight part of a line.
 *
 * @param {readonly Point[]} points
 * @returns {readonly Box[]}
 */
export function legs(points) {
  return points.slice(1).map((to, at) => {
    const from = points[at] ?? to;
    return {
      x: Math.min(from.x, to.x),
      y: Math.min(from.y, to.y),
      width: Math.abs(from.x - to.x),
      height: Math.abs(from.y - to.y),
    };
  });
}

/**
 * The box of that id, or one of no size.
 *
 * @param {ReadonlyMap<string, Box>} boxes
 * @param {string} id
 * @returns {Box}
 */
export function boxOf(boxes, id) {
  return boxes.get(id) ?? { x: 0, y: 0, width: 0, height: 0 };
}
