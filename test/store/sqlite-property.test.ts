import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { compare } from "./comparison.ts";
import type { World } from "./comparison.ts";
import { emptyModel } from "./model.ts";
import { anyOp, sequences, shortLife } from "./operations.ts";

/** More events than any sequence makes: this store keeps all of them. */
const ALL_EVENTS = 1_000_000;

function world(): World {
  const clock = new SimulatedClock();
  const store = openSqliteStore({
    path: ":memory:",
    clock,
    random: seededRandom(1),
    durability: "normal",
  });
  return { clock, store, model: emptyModel(ALL_EVENTS) };
}

describe("any sequence of operations on the SQLite store", () => {
  it("D1-D8 gives the answers and the rows of the reference model, and a refusal changes nothing", async () => {
    expect.hasAssertions();
    const any = fc.oneof(
      { weight: 2, arbitrary: sequences(anyOp) },
      { weight: 1, arbitrary: sequences(shortLife) },
    );
    const property = fc.asyncProperty(any, async (ops) => {
      const { store, ...rest } = world();
      const { divergence } = await compare({ store, ...rest }, ops);
      await store.close();
      expect(divergence).toBeNull();
    });
    await fc.assert(property, { numRuns: 60 });
  });
});
