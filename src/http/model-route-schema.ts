// Where a task may run and where it went, in the wire's words.

import { z } from "zod";
import type { RouteView } from "../core/api.ts";
import type { Wire } from "../core/wire.ts";

const time = z.number().int().describe("Milliseconds since the epoch.");

export const modelRoute = z
  .object({
    candidates: z.array(z.string()).describe("`provider/model`, in the order in which they are tried."),
    skipped: z.array(z.object({ model: z.string(), reason: z.string() })),
    reroutes: z
      .array(z.object({ from: z.string(), to: z.string(), code: z.string(), reason: z.string(), time }))
      .describe("Changes of model so far, oldest first."),
  })
  .meta({ id: "Route" }) satisfies z.ZodType<Wire<RouteView>>;
