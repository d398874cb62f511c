import { SimulatedClock } from "../../src/base/clock.ts";
import { type ApiHarness, taskApiConformance } from "../api/conformance.ts";
import { CannedApi } from "./canned-api.ts";
import { advanceOverSockets, rig } from "./rig.ts";

function hands(api: CannedApi): Pick<ApiHarness, "finishTask" | "failTask"> {
  return {
    finishTask: async (id, result) => api.finish(id, result),
    failTask: async (id, { code, message }) => api.fail(id, code, message),
  };
}

// The canned API itself must keep the contract, or it would prove nothing about the client.
taskApiConformance("canned, in process", async () => {
  const clock = new SimulatedClock();
  const api = new CannedApi({ clock });
  return { api, ...hands(api), advance: (ms) => clock.advance(ms), close: async () => api.log.end() };
});

taskApiConformance("HttpClient over a real socket", async () => {
  const clock = new SimulatedClock();
  const box = await rig({ clock });
  return {
    api: box.client,
    ...hands(box.api),
    advance: (ms) => advanceOverSockets(box, clock, ms),
    close: box.close,
  };
});
