// The invariants of scheduling.md §6.6 by name (there I1 to I16, in design.md G1 to G16), and how often each was
// looked at: a check that nothing ever reaches proves nothing.

export const CHECKS = {
  G1: "leases of a profile never exceed its slots",
  G2: "live children of a profile never exceed max_children",
  G3: "what is loaded together fits into the memory",
  G4: "one load or unload at a time on a backend",
  G5: "no turn for a profile that is absent or draining",
  G6: "nothing is unloaded, or loaded over, under a turn",
  G7: "every task ends once, and everything is given back",
  G8: "who waits holds no lease, and trees of any depth end with one slot",
  G9: "no profile waits longer than the bound",
  G10: "parents with work are served alike in GPU time",
  G11: "no ready turn beside a free lease of a profile that is there",
  G12: "profiles in use are swapped no more often than the bound allows",
  G13: "nothing starts after a cancel, and a cancel may be repeated",
  G14: "a person's turn goes before all others of its profile",
  G15: "what is to be loaded is named as the tasks named it",
  G16: "the same commands at the same times give the same signals",
} as const;
export type Check = keyof typeof CHECKS;

const looks = new Map<Check, number>();

/** Throws with the invariant's name where it does not hold. */
export function count(check: Check, holds: boolean, what: string): void {
  looks.set(check, (looks.get(check) ?? 0) + 1);
  if (!holds) throw new Error(`${check} (${CHECKS[check]}): ${what}`);
}

export function looksAt(check: Check): number {
  return looks.get(check) ?? 0;
}
