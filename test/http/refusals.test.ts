// F1 and F2 through the real gate; the class by itself has nothing else to show.

import { afterEach, describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import type { AuditNote } from "../../src/core/audit.ts";
import { MAX_KINDS, Refusals, REFUSALS_MS } from "../../src/http/refusals.ts";
import { callerWith, READ_TOKEN, rig, type Rig, TOKEN } from "./rig.ts";
import { SocketClient } from "./socket-client.ts";

let box: Rig;
afterEach(() => box.close());

async function watched(gate: Parameters<typeof rig>[0] = {}) {
  const clock = new SimulatedClock();
  const notes: AuditNote[] = [];
  const refusals = new Refusals({ note: (note) => notes.push(note) }, clock);
  box = await rig({ ...gate, clock, refusals });
  const ask = async (path: string, headers: Record<string, string>, method = "GET"): Promise<number> => {
    const host = `127.0.0.1:${box.server.port}`;
    const response = await box.app.fetch(
      new Request(`${box.server.url}${path}`, { method, headers: { host, ...headers } }),
    );
    await response.body?.cancel();
    return response.status;
  };
  return { clock, notes, refusals, ask };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const told = (notes: readonly AuditNote[]): readonly string[] =>
  notes.map(({ actor, target, outcome, detail }) => `${actor}: ${target} ${outcome}, ${detail}`).toSorted();

describe("what the gate refuses", () => {
  it("is one row a minute for who, where and why", async () => {
    const { clock, notes, ask } = await watched({
      gate: {
        rateLimit: { perS: 1, burst: 3 },
        tokens: [
          { token: TOKEN, caller: { ...callerWith("read", "control"), name: "ci", tokenId: "tok_1" } },
          { token: READ_TOKEN, caller: { ...callerWith("read"), name: "eyes" } },
        ],
      },
    });
    for (let at = 0; at < 5; at += 1) expect(await ask(`/v1/tasks/task_${at}`, {})).toBe(401);
    for (let at = 0; at < 4; at += 1) expect(await ask(`/nothing/${at}`, bearer("x"))).toBe(401);
    expect(await ask("/v1/status", { host: "evil.test" })).toBe(403);
    expect(await ask("/v1/status", { origin: "https://evil.test" })).toBe(403);
    expect(await ask("/v1/pause", bearer(READ_TOKEN), "POST")).toBe(403);
    for (let at = 0; at < 3; at += 1) expect(await ask("/v1/tree", bearer(TOKEN))).toBe(200);
    for (let at = 0; at < 2; at += 1) expect(await ask("/v1/tree", bearer(TOKEN))).toBe(429);
    expect(notes).toEqual([]);
    await clock.advance(REFUSALS_MS);
    expect(told(notes)).toEqual([
      "person:ci: GET /v1/tree rate_limited, 2 within 60 s",
      "person:eyes: POST /v1/pause insufficient_scope, 1 within 60 s",
      "stranger: GET /v1/status forbidden_host, 1 within 60 s",
      "stranger: GET /v1/status forbidden_origin, 1 within 60 s",
      "stranger: GET /v1/tasks/:id unauthorized, 5 within 60 s",
      "stranger: no route unauthorized, 4 within 60 s",
    ]);
    expect(notes.every(({ action, digest }) => action === "gate.refuse" && digest === null)).toBe(true);
    expect(notes.find(({ tokenId }) => tokenId === "tok_1")?.actor).toBe("person:ci");
    await clock.advance(REFUSALS_MS);
    expect(notes).toHaveLength(6);
    await ask("/v1/status", {});
    await clock.advance(REFUSALS_MS);
    expect(notes).toHaveLength(7);
  });

  it("F1 is few rows, whatever comes and however often", async () => {
    const { clock, notes, ask } = await watched();
    const routes = [...new Set(box.app.routes.filter(({ method }) => method !== "ALL"))];
    expect(routes.length).toBeGreaterThan(MAX_KINDS);
    let refused = 0;
    for (let round = 0; round < 40; round += 1) {
      for (const { method, path } of routes) {
        const status = await ask(path.replaceAll(/:\w+/g, `x${round}`), bearer(`guess${round}`), method);
        if (status === 401) refused += 1;
      }
    }
    await clock.advance(REFUSALS_MS);
    expect(notes).toHaveLength(MAX_KINDS + 1);
    expect(notes.at(-1)).toMatchObject({ target: null, outcome: "other_kinds" });
    const counted = notes.reduce((sum, { detail = "" }) => sum + Number.parseInt(detail, 10), 0);
    expect([counted, refused > 800]).toEqual([refused, true]);
  });

  it("F2 names nothing that the request chose", async () => {
    const { notes, refusals, ask } = await watched();
    await ask("/v1/tasks/PLANTED%0Arow?PLANTED=1", { ...bearer("PLANTED"), "user-agent": "PLANTED" });
    await ask("/PLANTED", { host: "PLANTED.test", origin: "https://PLANTED.test" }, "PUT");
    refusals.close();
    expect([notes.length, JSON.stringify(notes).includes("PLANTED")]).toEqual([2, false]);
  });

  it("is told at the end too, once", async () => {
    const { notes, refusals, ask } = await watched();
    refusals.close();
    await ask("/v1/status", {});
    refusals.close();
    refusals.close();
    expect(notes).toHaveLength(1);
  });

  it("counts sockets that said hello without a token, or with one that may not", async () => {
    const { notes, refusals } = await watched({
      gate: { tokens: [{ token: TOKEN, caller: { ...callerWith("control"), name: "ci" } }] },
    });
    for (const [token, code] of [
      ["wrong", 4401],
      [TOKEN, 4403],
    ] as const) {
      const client = new SocketClient(box);
      await client.opened();
      client.say({ type: "hello", token });
      expect(await client.ended()).toBe(code);
    }
    const foreign = new SocketClient(box, { headers: { origin: "https://evil.test" } });
    expect(await foreign.ended()).toBe(403);
    refusals.close();
    expect(told(notes)).toEqual([
      "person:ci: GET /v1/events (WebSocket) insufficient_scope, 1 within 60 s",
      "stranger: GET /v1/events (WebSocket) unauthorized, 1 within 60 s",
      "stranger: GET /v1/events forbidden_origin, 1 within 60 s",
    ]);
  });

  it("passes over what is no refusal of the gate's", async () => {
    const { notes, refusals, ask } = await watched();
    expect(await ask("/v1/tasks/task_none", bearer(TOKEN))).toBe(404);
    expect(await ask("/nothing", bearer(TOKEN))).toBe(404);
    refusals.close();
    expect(notes).toEqual([]);
  });
});
