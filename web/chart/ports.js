// Where arrows touch their boxes: at the side that they come to, in the order in which they come, so that no two of them
// lie on each other there and none cuts through a neighbour. Pure geometry.

/** @import { Box } from "./box.js" */
/** @import { Point } from "./curve.js" */

/**
 * @typedef {object} Line
 * @property {string} id
 * @property {string} from Id of the box that it begins at.
 * @property {string} to
 * @property {readonly Point[]} points With a point at each box, which is moved to its port.
 */

/** @typedef {{ readonly line: string, readonly isStart: boolean, readonly toward: Point }} End */

/** So far an arrow goes straight before it bends. */
const STUB = 7;

/**
 * The same lines, from port to port.
 *
 * @param {readonly Line[]} lines
 * @param {ReadonlyMap<string, Box>} boxes
 * @returns {ReadonlyMap<string, readonly Point[]>} Points by the id of their line.
 */
export function ported(lines, boxes) {
  const ports = portsOf(endsBySide(lines, boxes), boxes);
  return new Map(
    lines.map(({ id, points }) => {
      const [start, end] = [ports.get(`${id} start`), ports.get(`${id} end`)];
      return [
        id,
        [...(start ?? points.slice(0, 1)), ...points.slice(1, -1), ...(end ?? points.slice(-1)).toReversed()],
      ];
    }),
  );
}

/**
 * @param {readonly Line[]} lines
 * @param {ReadonlyMap<string, Box>} boxes
 * @returns {ReadonlyMap<string, readonly End[]>} By the id of a box and its side.
 */
function endsBySide(lines, boxes) {
  /** @type {Map<string, End[]>} */
  const sides = new Map();
  for (const { id, from, to, points } of lines) {
    for (const isStart of [true, false]) {
      const at = isStart ? from : to;
      const box = boxes.get(at);
      const toward = points.at(isStart ? 1 : -2);
      if (!box || !toward) continue;
      const side = `${at} ${toward.y > box.y + box.height / 2 ? "bottom" : "top"}`;
      sides.set(side, [...(sides.get(side) ?? []), { line: id, isStart, toward }]);
    }
  }
  return sides;
}

/**
 * @param {ReadonlyMap<string, readonly End[]>} sides
 * @param {ReadonlyMap<string, Box>} boxes
 * @returns {ReadonlyMap<string, readonly Point[]>} The port and the end of its stub, by the end of a line.
 */
function portsOf(sides, boxes) {
  /** @type {Map<string, readonly Point[]>} */
  const ports = new Map();
  for (const [side, ends] of sides) {
    const [at = "", word] = side.split(" ");
    const box = boxes.get(at);
    if (!box) continue;
    const [y, stub] = word === "bottom" ? [box.y + box.height, STUB] : [box.y, -STUB];
    for (const [index, end] of ends.toSorted((a, b) => a.toward.x - b.toward.x).entries()) {
      const x = box.x + (box.width * (index + 1)) / (ends.length + 1);
      ports.set(`${end.line} ${end.isStart ? "start" : "end"}`, [
        { x, y },
        { x, y: y + stub },
      ]);
    }
  }
  return ports;
}
