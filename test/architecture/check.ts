// All rules over a set of sources: the one function that the tree and the positive controls go through.

import { ALLOWANCES, withoutAllowed } from "./allowances.ts";
import type { Allowance } from "./allowances.ts";
import { PRODUCT_ROOTS } from "./floors.ts";
import { cycleViolations, importViolations } from "./import-rules.ts";
import { mirrorViolations } from "./mirror.ts";
import { globalViolations, sizeViolations, wordViolations } from "./text-rules.ts";
import type { SourceFile } from "./tree.ts";
import type { Violation } from "./violation.ts";

/** Contract: pure; sorted by path. `files` are all sources, tests among them. */
export function checkSources(
  files: readonly SourceFile[],
  allowances: readonly Allowance[] = ALLOWANCES,
): readonly Violation[] {
  const product = files.filter((file) => PRODUCT_ROOTS.includes(file.path.split("/")[0] ?? ""));
  const violations = [
    ...files.flatMap((file) => [
      ...importViolations(file),
      ...globalViolations(file),
      ...sizeViolations(file),
      ...wordViolations(file),
    ]),
    ...cycleViolations(product),
    ...mirrorViolations(product, new Set(files.map((file) => file.path))),
  ];
  return withoutAllowed(violations, allowances).toSorted((a, b) =>
    a.path < b.path ? -1 : a.path > b.path ? 1 : 0,
  );
}
