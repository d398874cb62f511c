import { expect, test } from "vitest";
import { systemClock } from "../src/base/clock.ts";
import { systemRandom } from "../src/base/ids.ts";
import { silentLogger } from "../src/base/log.ts";
import type { TroupeApi } from "../src/core/api.ts";
import { type AuditNote, NO_AUDIT } from "../src/core/audit.ts";
import { listen, type ServeOptions } from "../src/listen.ts";

const OPTIONS: ServeOptions = {
  host: "127.0.0.1",
  port: 0,
  token: "0".repeat(64),
  world: { clock: systemClock, random: systemRandom, fetch, env: {}, cwd: "/", writeLog: () => {} },
  allowedHosts: [],
  allowedOrigins: [],
  insecureAllowRemote: false,
};

test("the port is taken first, and whoever comes before the doors open is told to come again", async () => {
  const served = await listen(OPTIONS);
  const early = await fetch(`${served.listening.url}/healthz`);
  expect([early.status, early.headers.get("retry-after")]).toEqual([503, "1"]);
  await expect(listen({ ...OPTIONS, port: served.listening.port })).rejects.toMatchObject({
    code: "port_in_use",
  });
  await served.close();
});

test("an address that others reach is refused", async () => {
  await expect(listen({ ...OPTIONS, host: "0.0.0.0" })).rejects.toMatchObject({ code: "bind_refused" });
});

test("whom the door refused is in the record, at the latest when it closes", async () => {
  const notes: AuditNote[] = [];
  const served = await listen(OPTIONS);
  served.open({
    as: () => ({}) as TroupeApi,
    logger: silentLogger,
    audit: { ...NO_AUDIT, note: (note) => notes.push(note) },
  });
  for (let at = 0; at < 3; at += 1) expect((await fetch(`${served.listening.url}/v1/tree`)).status).toBe(401);
  await served.close();
  expect(notes).toMatchObject([
    { actor: "stranger", target: "GET /v1/tree", outcome: "unauthorized", detail: "3 within 60 s" },
  ]);
});
