import { expect, test } from "vitest";
import { seededRandom } from "../../src/base/ids.ts";
import { cancelOrders } from "../../src/runtime/orders.ts";

function orders(children: readonly string[]) {
  const kinship = { liveChildren: () => children };
  return cancelOrders({ id: "task_1", services: { kinship, random: seededRandom(1) } }, "enough");
}

test("every living child gets an order of its own, from its parent", () => {
  const { outbox = [] } = orders(["task_2", "task_3"]);
  expect(outbox.map(({ to }) => to)).toEqual(["task_2", "task_3"]);
  expect(new Set(outbox.map(({ message }) => message.id)).size).toBe(2);
  expect(outbox[0]?.message).toMatchObject({
    kind: "cancel",
    from: "agent:task_1",
    reason: "enough",
    force: false,
  });
});

test("without children nothing is written", () => {
  expect(orders([])).toEqual({});
});
