// The model servers of a world and what happens to them, at its times; in the calm everything is put right again.

import { CLOUD_MODEL, LOCAL_MODELS, type Box, type Mishap } from "./box.ts";
import type { WorldClock } from "./clock.ts";
import type { Trace } from "./trace.ts";
import { ModelServer } from "./model-server.ts";

/** A model of somebody else's. */
const FOREIGN = "x:7b";

/** The servers of a box, by backend; none where everything is always there. */
export function serversOf(box: Box | null, clock: WorldClock): ReadonlyMap<string, ModelServer> {
  if (box === null) return new Map();
  const { room, loadMs, keepMs } = box;
  const times = { clock, loadMs, keepMs };
  const local = new ModelServer({ ours: LOCAL_MODELS, foreign: [FOREIGN], room, ...times });
  const cloud = new ModelServer({ ours: [CLOUD_MODEL], foreign: [], room: null, ...times });
  return new Map([
    ["gpu", local],
    ["cloud", cloud],
  ]);
}

/** Does to its server what the world says, unless all is calm by then. */
export function happen(
  mishap: Mishap,
  servers: ReadonlyMap<string, ModelServer>,
  { clock, trace }: { readonly clock: WorldClock; readonly trace: Trace },
): void {
  const { kind, backend, ms, atMs } = mishap;
  trace.line(atMs, `${backend}: ${kind}`);
  const server = servers.get(backend) as ModelServer;
  const model = backend === "cloud" ? CLOUD_MODEL : mishap.model;
  switch (kind) {
    case "a model is removed":
      return server.remove(model);
    case "it is pulled again":
      return server.install(model);
    case "it is started again":
      return server.restart();
    case "it goes down":
      server.goDown();
      return void clock.after(ms, () => server.restart());
    case "its loads hang":
      return server.wedge();
    case "its next load fails":
      return server.refuse();
    case "it turns everybody away":
      server.lock(true);
      return void clock.after(ms, () => server.lock(false));
    case "another program uses its own model":
      return server.lend(FOREIGN, ms);
    case "another program uses ours":
      return server.lend(model, ms);
    case "it puts out what nobody uses":
      return server.sweep();
  }
}

/** Nothing is missing, stuck or away any more. */
export function putRight(servers: ReadonlyMap<string, ModelServer>): void {
  for (const server of servers.values()) server.putRight();
}
