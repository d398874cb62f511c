// Several servers behind one: who goes where, and what the sums say. Tried on simulated servers.

import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../../src/base/clock.ts";
import { seededRandom } from "../../../src/base/ids.ts";
import { simulatedServer } from "../../../bench/scheduler/simulated-server.ts";
import { parseWorkload } from "../../../bench/scheduler/workload.ts";

const WORKLOAD = `
name: two
box: { servers_from_s: [0, 60] }
models: [{ name: m, size_gib: 1, load_s: 1 }]
parents: { count: 1, children: 1 }
`;

function farm() {
  const clock = new SimulatedClock();
  const workload = parseWorkload(WORKLOAD, "two.yaml");
  const server = simulatedServer(workload, { clock, random: seededRandom(1), namesKeepAlive: false });
  const generate = async (conversation: string, at?: number): Promise<void> => {
    const call = {
      model: "m",
      conversation,
      promptTokens: 10,
      sharedTokens: 0,
      outputTokens: 10,
      server: at,
    };
    const done = server.generate({ ...call, onFirstToken: () => {} }, new AbortController().signal);
    await clock.advance(10_000);
    await done;
  };
  const loaded = async (): Promise<readonly number[]> =>
    Promise.all([0, 1].map(async (at) => (await server.loaded(at)).length));
  return { clock, server, generate, loaded };
}

describe("several servers", () => {
  it("are each where a call names them", async () => {
    const { server, generate, loaded } = farm();
    await generate("a", 1);
    expect(await loaded()).toEqual([0, 1]);
    expect(server.stats()).toMatchObject({ loads: 1, inFlight: 0 });
    server.close();
  });

  it("take a conversation that names none to those that are there, by number, and keep it", async () => {
    const { clock, server, generate, loaded } = farm();
    await generate("a");
    await generate("b");
    expect(await loaded()).toEqual([1, 0]);
    await clock.advance(60_000);
    await generate("a");
    expect(await loaded()).toEqual([1, 0]);
    await generate("c");
    expect(await loaded()).toEqual([1, 1]);
    expect(server.facts.serversFromMs).toEqual([0, 60_000]);
    server.close();
  });

  it("are refused where none is there from the start", () => {
    expect(() => parseWorkload(WORKLOAD.replace("[0, 60]", "[5]"), "late.yaml")).toThrow(/servers_from_s/);
  });
});
