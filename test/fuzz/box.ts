// What is fuzzed: a whole runtime whose models follow a script, behind the real HTTP app, asked without a network between.

import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/log.ts";
import { createHttpApp } from "../../src/http/server.ts";
import { OPERATOR } from "../../src/runtime/runtime.ts";
import { reply } from "../cli/served.ts";
import { realRig } from "../runtime/rig.ts";
import type { FuzzOptions, OpenApiDocument } from "./api-fuzz.ts";

const TOKEN = "f".repeat(64);
const PORT = 7433;
const BACKENDS = [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 8, maxChildren: 8, local: true }];

export interface FuzzBox {
  readonly ask: FuzzOptions["ask"];
  readonly document: OpenApiDocument;
  /** What does not hold of the box; nothing when all is well. */
  wrong(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export async function fuzzBox(): Promise<FuzzBox> {
  const rig = realRig({ reply, settings: { backends: BACKENDS } });
  const defects: string[] = [];
  const app = createHttpApp({
    api: (caller) => rig.runtime.as(caller),
    gate: { tokens: [{ token: TOKEN, caller: OPERATOR }], port: () => PORT },
    clock: systemClock,
    logger: {
      ...silentLogger,
      error: (message, fields) => defects.push(`${message} ${JSON.stringify(fields)}`),
    },
    version: "0.0.0-fuzz",
  });
  const ask: FuzzOptions["ask"] = async (path, init) => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${TOKEN}`);
    headers.set("host", `127.0.0.1:${PORT}`);
    return app.fetch(new Request(`http://127.0.0.1:${PORT}${path}`, { ...init, headers }));
  };
  const document = (await (await ask("/openapi.json", {})).json()) as OpenApiDocument;
  return {
    ask,
    document,
    wrong: async () => {
      const wrong = defects.map((each) => `a defect was logged: ${each}`);
      if (Object.keys(Object.prototype).length > 0) wrong.push("Object.prototype was changed");
      if ((await ask("/healthz", {})).status !== 200) wrong.push("/healthz does not answer");
      for (const gpu of await rig.api.gpus()) {
        for (const { backend, leases, slots } of gpu.backends) {
          if (leases.length > slots) wrong.push(`S1 ${backend}: ${leases.length} leases of ${slots}`);
        }
      }
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof rig.api.list>> = await rig.api.list({
          limit: 200,
          ...(cursor !== null && { cursor }),
        });
        for (const { taskId, parentId, state, finishedAt } of page.items) {
          const hasEnded = ["done", "failed", "cancelled"].includes(state);
          if (hasEnded !== (finishedAt !== null))
            wrong.push(`${taskId} is ${state} and finished at ${finishedAt}`);
          if (parentId !== null) await rig.api.check(parentId);
        }
        cursor = page.nextCursor;
      } while (cursor !== null);
      return wrong;
    },
    close: () => rig.runtime.close(),
  };
}
