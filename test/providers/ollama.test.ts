import { providerConformance } from "./conformance.ts";
import { OLLAMA, wireSubject } from "./dialect.ts";

providerConformance(wireSubject(OLLAMA));
