import { describe, expect, it } from "vitest";
import { settle } from "../../src/base/clock.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { firstRecord, stampEvent } from "../../src/store/commit.ts";
import { WakeList } from "../../src/store/memory-wakes.ts";
import { specimen, STARTED } from "./specimens.ts";

const stamp = { storeId: "store_1", cursor: 1, seq: 1, time: 1 };
const events: readonly StoredEvent[] = [stampEvent(STARTED, firstRecord(specimen("t1")), stamp)];

describe("WakeList", () => {
  it("wakes each subscription after the caller, the same function as often as it subscribed", async () => {
    const wakes = new WakeList();
    let woken = 0;
    const wake = (): void => void (woken += 1);
    wakes.add(wake);
    const stop = wakes.add(wake);
    wakes.announce(events);
    expect(woken).toBe(0);
    await settle();
    expect(woken).toBe(2);
    stop();
    stop();
    wakes.announce(events);
    await settle();
    expect(woken).toBe(3);
  });

  it("wakes nobody for nothing, and nobody who left in the meantime", async () => {
    const wakes = new WakeList();
    let woken = 0;
    wakes.add(() => void (woken += 1));
    wakes.announce([]);
    wakes.announce(events);
    wakes.clear();
    await settle();
    expect(woken).toBe(0);
  });
});
