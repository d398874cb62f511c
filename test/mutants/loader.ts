// Puts one mutant into this process: `TROUPE_MUTANT=NAME node --import ./test/mutants/loader.ts PROGRAM`. The text of
// its one file is changed while it is loaded, before its types are stripped; nothing on disk is touched. Without a
// name it does nothing. It is run again in each worker thread, which loads modules of its own.

import { registerHooks } from "node:module";
import { MUTANTS } from "./catalogue.ts";
import { APPLIED, MUTANT_VARIABLE, type Mutant, mutated } from "./mutant.ts";

const root = new URL("../../", import.meta.url);

function named(name: string): Mutant {
  const found = MUTANTS.find((each) => each.name === name);
  if (found) return found;
  throw new Error(`Expected a mutant of test/mutants/, got ${MUTANT_VARIABLE}=${name}.`);
}

function install(mutant: Mutant): void {
  const target = new URL(mutant.file, root).href;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url.split(/[?#]/, 1)[0] !== target) return loaded;
      const { source } = loaded;
      if (source === undefined || source === null)
        throw new Error(`${mutant.file} was loaded without a text.`);
      const text = typeof source === "string" ? source : new TextDecoder().decode(source);
      const changed = mutated(text, mutant);
      process.stderr.write(`${APPLIED} ${mutant.name}\n`);
      return { ...loaded, source: changed };
    },
  });
}

const name = process.env[MUTANT_VARIABLE];
if (name) install(named(name));
