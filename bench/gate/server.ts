// One server of the benchmark `gate`, in a process of its own: `bare` or `guarded`. Tells its port to its parent, and the
// processor's time that it took so far whenever it is asked.

import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import type { AddressInfo } from "node:net";
import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/ids.ts";
import { silentLogger } from "../../src/base/log.ts";
import { NO_AUDIT } from "../../src/core/audit.ts";
import { toWire } from "../../src/core/wire.ts";
import { listen } from "../../src/listen.ts";
import { TOKEN, workOf } from "./work.ts";

const HOST = "127.0.0.1";
const { api, taskId } = await workOf();

/** What a person writes who wants this answered, and thinks of nothing else. */
async function bare(): Promise<number> {
  const app = new Hono();
  app.get("/v1/tasks/:id", async (c) => c.json(toWire(await api.check(c.req.param("id")))));
  app.post("/v1/tasks/:id/steer", async (c) => {
    const { message } = await c.req.json<{ readonly message: string }>();
    return c.json(toWire(await api.steer(c.req.param("id"), { message })));
  });
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((done) => server.listen(0, HOST, done));
  return (server.address() as AddressInfo).port;
}

/** The doors of `troupe serve`, with more room than the benchmark can use up. */
async function guarded(): Promise<number> {
  const served = await listen({
    host: HOST,
    port: 0,
    token: TOKEN,
    world: { clock: systemClock, random: systemRandom, fetch, env: {}, cwd: "/", writeLog: () => {} },
    allowedHosts: [],
    allowedOrigins: [],
    insecureAllowRemote: false,
    rateLimit: { perS: 1e9, burst: 1e9 },
  });
  served.open({ as: () => api, logger: silentLogger, audit: NO_AUDIT });
  return served.listening.port;
}

const port = process.argv[2] === "bare" ? await bare() : await guarded();
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1000 });
});
process.on("disconnect", () => process.exit());
process.send?.({ port, taskId });
