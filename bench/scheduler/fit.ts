// Whether models fit into the server's memory beside each other, by Ollama's rule.

import { FIT_SHARE } from "../../src/simulator/placement.ts";
import { modelFacts, type ServerFacts } from "./model-server.ts";

/** A model must fit into 80 % of what the others leave free; alone it may take everything. */
export function fitsBeside(facts: ServerFacts, model: string, others: readonly string[]): boolean {
  const taken = others.reduce((sum, name) => sum + modelFacts(facts, name).bytes, 0);
  const free = facts.vramBytes - taken;
  return modelFacts(facts, model).bytes <= free * (others.length === 0 ? 1 : FIT_SHARE);
}
