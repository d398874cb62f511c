import { providerConformance } from "./conformance.ts";
import { OPENAI, wireSubject } from "./dialect.ts";

providerConformance(wireSubject(OPENAI));
