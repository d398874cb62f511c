import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { storeConformance } from "./conformance.ts";

const folder = mkdtempSync(join(tmpdir(), "troupe-sqlite-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;

const UNSUPPORTED = {
  unsupported: { retention: "events go with their trees, never by their number" },
} as const;

storeConformance(
  "SqliteStore in memory",
  async () => {
    const clock = new SimulatedClock();
    return {
      clock,
      store: openSqliteStore({ path: ":memory:", clock, random: seededRandom(1), durability: "normal" }),
    };
  },
  UNSUPPORTED,
);

storeConformance(
  "SqliteStore on a file",
  async () => {
    const clock = new SimulatedClock();
    made += 1;
    const path = join(folder, `store-${made}.db`);
    return { clock, store: openSqliteStore({ path, clock, random: seededRandom(1), durability: "full" }) };
  },
  UNSUPPORTED,
);
