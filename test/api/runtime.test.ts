import { taskApiConformance } from "./conformance.ts";
import { runtimeHarness } from "./runtime-harness.ts";

taskApiConformance("Runtime, in process", runtimeHarness);
