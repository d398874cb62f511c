// What a mutant is: one deliberate breakage of the protocol, as data. It is put into the text of one source file in
// the memory of one test process; nothing on disk changes, and the product knows nothing of it.

export interface Mutant {
  /** Kebab-case; unique. */
  readonly name: string;
  /** The invariant that it breaks, by its number where it has one (I1-I30, S1-S6, M1-M5, …). */
  readonly invariant: string;
  /** From the root of the checkout. */
  readonly file: string;
  /** Occurs in the file exactly once, or the mutant is stale. */
  readonly find: string;
  readonly replace: string;
  /** What goes wrong, as somebody outside sees it. */
  readonly why: string;
}

/** Names the mutant of a process; read by the loader alone. */
export const MUTANT_VARIABLE = "TROUPE_MUTANT";

/** Begins the line on stderr that says that the file was loaded with its mutant in it. */
export const APPLIED = "mutant in place:";

/** Contract: throws an Error that names the mutant when its `find` does not occur exactly once or changes nothing. */
export function mutated(source: string, mutant: Mutant): string {
  const { name, file, find, replace } = mutant;
  const times = find === "" ? 0 : source.split(find).length - 1;
  if (times !== 1) {
    throw new Error(
      `The mutant ${name} is stale: expected its text exactly once in ${file}, found it ${times} times. ` +
        "Write it anew for the code as it is now.",
    );
  }
  if (find === replace) throw new Error(`The mutant ${name} changes nothing in ${file}.`);
  const at = source.indexOf(find);
  return source.slice(0, at) + replace + source.slice(at + find.length);
}
