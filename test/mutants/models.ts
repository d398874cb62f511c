// Breakages of models that share a memory: loads, drains, what the server shows, and the options of a profile.

import type { Mutant } from "./mutant.ts";

const AFFINITY = "src/scheduler/affinity.ts";
const SERVER = "src/runtime/residency-server.ts";
const MOVES = "src/runtime/residency-moves.ts";

export const MODEL_MUTANTS: readonly Mutant[] = [
  {
    name: "models-two-loads-at-once",
    invariant: "G4",
    file: AFFINITY,
    find: '  if (isUnderWay) return { type: "keep", wakeAt: Infinity }; // keeps A1\n',
    replace: "",
    why: "A second model is loaded while the first is still being read, and neither fits.",
  },
  {
    name: "models-swapped-under-a-turn",
    invariant: "G6",
    file: AFFINITY,
    find: "const still = draining.filter(({ leases }) => leases.held === 0); // keeps A2",
    replace: "const still = draining;",
    why: "A model is asked to go in the middle of a generation on it.",
  },
  {
    name: "models-serve-while-absent",
    invariant: "G5",
    file: "src/scheduler/residence.ts",
    find: 'leases.shut = residence !== null && residence.state !== "resident" && !residence.passing;',
    replace: "leases.shut = false;",
    why: "Turns are sent for a model that is not in memory, and the server swaps for each.",
  },
  {
    name: "models-serve-while-draining",
    invariant: "G5",
    file: "src/scheduler/residence.ts",
    find: 'residence.state !== "resident" && !residence.passing;',
    replace: 'residence.state !== "resident" && residence.state !== "draining" && !residence.passing;',
    why: "A model that is to go gets new turns, and never goes.",
  },
  {
    name: "models-loaded-again-unasked",
    invariant: "G7",
    file: "machines/residency.ts",
    find: 'description: "Its load failed. Turns are told why until the pause is over.",\n          tags: ["passing"],\n          entry: "armRetry",\n          on: {\n            "retry.due": { target: "idle",',
    replace:
      'description: "Its load failed. Turns are told why until the pause is over.",\n          tags: ["passing"],\n          entry: "armRetry",\n          on: {\n            "retry.due": { target: "#residency.loading",',
    why: "A model whose load failed is loaded over another one that is at work.",
  },
  {
    name: "models-put-out-for-a-load-are-kept",
    invariant: "G5",
    file: SERVER,
    find: "      if (isOut) tenant.missed(this.#showsModels);",
    replace: "",
    why: "Turns go on being sent to a model that the server put out for the one that was loaded.",
  },
  {
    name: "models-that-went-are-believed-in",
    invariant: "V4",
    file: SERVER,
    find: "      else tenant.missed(this.#showsModels);",
    replace: "",
    why: "A model that the server let go of its own accord is taken to be in memory for ever.",
  },
  {
    name: "models-of-others-are-overlooked",
    invariant: "V4",
    file: SERVER,
    find: "      if (found) tenant.seen(found);\n      else",
    replace: "      if (!found)",
    why: "A model that is in memory already is loaded once more at every start.",
  },
  {
    name: "models-loaded-without-their-options",
    invariant: "G15",
    file: MOVES,
    find: "provider.preload(profile.model, { ...profile.runner, signal: abort.signal })",
    replace: "provider.preload(profile.model, { signal: abort.signal })",
    why: "The first turn loads the model anew, with the context that it asks for.",
  },
  {
    name: "models-asked-without-their-options",
    invariant: "G15",
    file: "src/runtime/generate-effect.ts",
    find: "        ...runnerOptionsOf(model),\n",
    replace: "",
    why: "Each turn loads the model anew, with the context that the server likes.",
  },
];
