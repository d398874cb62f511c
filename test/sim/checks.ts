// All checks by name, and the invariants that no simulation can show, with the reason.

import { ASKING_CHECKS } from "./checks-asking.ts";
import { LIFE_CHECKS } from "./checks-life.ts";
import { ROOM_CHECKS } from "./checks-room.ts";
import { TALK_CHECKS } from "./checks-talk.ts";
import { BUDGET_CHECKS } from "./checks-budget.ts";
import { CALL_CHECKS } from "./checks-calls.ts";
import { ORDER_CHECKS } from "./checks-order.ts";
import { MODEL_CHECKS } from "./checks-models.ts";
import { ROUTE_CHECKS } from "./checks-routes.ts";
import { COUNT_CHECKS } from "./checks-count.ts";
import { PACE_CHECKS } from "./checks-pace.ts";
import { RECORD_CHECKS } from "./checks-record.ts";
import type { Check } from "./check.ts";

/** What the reference model says could not have happened. */
export const MODEL_CHECK: Check = {
  id: "I5",
  name: "the reference model agrees",
  means: "Every write that the store accepts follows from those before it: epochs, sequences, mail, one end.",
};

/** Asked by the simulation itself, which knows when it has waited long enough. */
export const LIVENESS: Check = {
  id: "I27",
  name: "everything ends",
  means: "Once faults stop, every task ends within the sum of all timeouts.",
};

export const UNHANDLED: Check = {
  id: "I26",
  name: "no error is swallowed",
  means: "No promise is rejected without somebody who hears of it, and nothing is logged as an error.",
  on: {
    unhandled: ({ message }) => `nobody handled: ${message}`,
    // While a server closes, what it could not write any more is left for the next one.
    complained: ({ line }, { closing }) => (closing ? null : `the log says: ${line}`),
  },
};

export const CHECKS: readonly Check[] = [
  MODEL_CHECK,
  LIVENESS,
  UNHANDLED,
  ...LIFE_CHECKS,
  ...ROOM_CHECKS,
  ...TALK_CHECKS,
  ...ASKING_CHECKS,
  ...CALL_CHECKS,
  ...ORDER_CHECKS,
  ...COUNT_CHECKS,
  ...PACE_CHECKS,
  ...RECORD_CHECKS,
  ...BUDGET_CHECKS,
  ...MODEL_CHECKS,
  ...ROUTE_CHECKS,
];

/** Invariants that a simulation in one process cannot show, and where they are shown instead. */
export const NOT_SIMULATED: Readonly<Record<string, string>> = {
  I11: "No process is started in a simulation; processes and files are real in the crash tests.",
  I18: "Virtual time stands still while code runs; how long calls take is measured by the benchmarks.",
  I24: "The store is in memory here; what survives a kill or a power loss is shown with real files.",
  I30: "Virtual time stands still while code runs; the loop's delay is measured with real load.",
};
