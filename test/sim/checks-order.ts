// What the umpire between runtime and scheduler calls: order, patience, pauses, turns of parents.

import type { Check } from "./check.ts";
import type { Rule } from "./umpire.ts";

function called(id: string, name: Rule, means: string): Check {
  return { id, name, means, on: { umpired: ({ rule, complaint }) => (rule === name ? complaint : null) } };
}

export const ORDER_CHECKS: readonly Check[] = [
  called("I23", "leases are given in order", "Within a class whoever asked first for a slot gets it first."),
  called(
    "S4",
    "the stopped go first",
    "Whose generation was stopped for a person, and nobody else, goes first.",
  ),
  called("S4", "patience stops one for one", "No more generations are stopped than persons wait (P1)."),
  called("S4", "patience has an end", "A person who has waited long enough gets somebody's slot."),
  called("S4", "nobody's own word is stopped", "The answer to a person is not stopped for another one (P2)."),
  called("S4", "the stopped let go", "Whoever is to stop has let go of its slot within the deadline."),
  called("I14", "a pause holds", "No child is let in while the box is paused."),
  called("I23", "parents take turns", "A parent with many children does not keep those of others waiting."),
  called(
    "S3",
    "what is given back is gone",
    "What was withdrawn, released, parked or ended holds nothing of it any more.",
  ),
];
