// Every source has its test at the mirrored path, says by its content that it needs none, or has an allowance.

import type { SourceFile } from "./tree.ts";
import type { Violation } from "./violation.ts";

/** Where the test of a source lies: `src/store/memory.ts` has `test/store/memory.test.ts`. */
export function testPathOf(path: string): string {
  return `test/${path.replace(/^src\//, "").replace(/\.[jt]s$/, ".test.ts")}`;
}

/** A statement that leaves nothing at run time, up to the place where the next one begins. */
const TYPE_STATEMENT =
  /^(?:import\s+type\b|export\s+type\b|export\s+(?:declare\s+)?interface\b|type\b|interface\b)/;

/**
 * Whether a source holds types alone, so that the compiler is its test.
 * Contract: pure; looks at lines that begin at the margin, where the formatter puts every statement.
 */
export function holdsTypesOnly(file: SourceFile): boolean {
  const margin = file.masked.code.split("\n").filter((line) => /^[^\s)\]}|&]/.test(line));
  return margin.length > 0 && margin.every((line) => TYPE_STATEMENT.test(line));
}

/** Contract: pure; `tests` are the paths of the test files that exist. */
export function mirrorViolations(
  files: readonly SourceFile[],
  tests: ReadonlySet<string>,
): readonly Violation[] {
  return files
    .filter((file) => !tests.has(testPathOf(file.path)) && !holdsTypesOnly(file))
    .map(({ path }) => ({ rule: "mirror", path, line: 0, message: `has no test at ${testPathOf(path)}` }));
}
