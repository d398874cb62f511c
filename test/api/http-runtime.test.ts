import { taskApiConformance } from "./conformance.ts";
import { httpHarness } from "./runtime-harness.ts";

taskApiConformance("HttpClient over the server over Runtime", httpHarness);
