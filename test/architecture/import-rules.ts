// The rules about who may know whom. Pure: they see scanned sources and answer with violations.

import { posix } from "node:path";
import {
  BESIDE_ROOTS,
  BUILTIN_OWNERS,
  FLOORS,
  PACKAGE_OWNERS,
  PRODUCT_ROOTS,
  TYPES_ONLY_FLOOR,
  floorOf,
  packageOf,
  roomOf,
} from "./floors.ts";
import type { ImportEdge } from "./imports.ts";
import type { SourceFile } from "./tree.ts";
import type { Rule, Violation } from "./violation.ts";

/** The version that a command prints stands in one file only. */
const PACKAGE_JSON = "package.json";

const isRelative = (specifier: string): boolean => /^\.{1,2}(?:\/|$)/.test(specifier);
const rootOf = (path: string): string => path.split("/")[0] ?? "";
const isProduct = (path: string): boolean => PRODUCT_ROOTS.includes(rootOf(path));

function targetOf(path: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(path), specifier));
}

/** Whether `path` lies in one of the rooms or is one of the files. */
function ownedBy(path: string, owners: readonly string[]): boolean {
  const room = roomOf(path);
  return owners.some((owner) => owner === path || owner === room);
}

/** Contract: pure; everything that one source's imports break, cycles apart. */
export function importViolations(file: SourceFile): readonly Violation[] {
  const found = file.imports.flatMap((edge) => edgeViolations(file, edge));
  if (isProduct(file.path) && roomOf(file.path) === null) {
    const message = `lies in no room of the floors (${FLOORS.flat().join(", ")})`;
    found.push({ rule: "floors", path: file.path, line: 0, message });
  }
  return found;
}

function edgeViolations(file: SourceFile, edge: ImportEdge): Violation[] {
  const found: Violation[] = [];
  const add = (rule: Rule, message: string): number =>
    found.push({ rule, path: file.path, line: edge.line, message });
  if (edge.star) add("reexport", "`export *` hides what is exported: name each export");
  if (!isProduct(file.path)) return found;
  if (edge.reexport && !edge.star && file.path !== "src/index.ts") {
    add("reexport", "only src/index.ts re-exports: import the name from the file that owns it");
  }
  if (edge.specifier === null)
    add("computed_import", "a computed import() cannot be checked: name the module");
  else if (isRelative(edge.specifier)) relativeViolations(file, edge, add);
  else packageViolations(file, edge.specifier, add);
  return found;
}

function relativeViolations(
  file: SourceFile,
  edge: ImportEdge,
  add: (rule: Rule, message: string) => void,
): void {
  const specifier = edge.specifier ?? "";
  const target = targetOf(file.path, specifier);
  if (target === PACKAGE_JSON && ["src", "src/cli"].includes(roomOf(file.path) ?? "")) return;
  // Browsers strip no types: what they run is JavaScript.
  const extension = rootOf(target) === "web" ? ".js" : ".ts";
  if (!specifier.endsWith(extension))
    add("extension", `\`${specifier}\` must end in ${extension} to run unbuilt`);
  if (rootOf(file.path) === "web" && rootOf(target) !== "web") {
    return add("outside", `imports ${target}: browsers load nothing but web/ and packages`);
  }
  if (BESIDE_ROOTS.includes(rootOf(target)) || !isProduct(target)) {
    return add("outside", `imports ${target}: the product imports only ${PRODUCT_ROOTS.join(", ")}`);
  }
  const from = roomOf(file.path);
  const to = roomOf(target);
  if (from === null || from === to) return;
  if (to === null) return add("floors", `imports ${target}, which lies in no room of the floors`);
  const [own, other] = [floorOf(from), floorOf(to)];
  if (other === own) add("floors", `imports its sibling ${to}: siblings on floor ${own} never meet`);
  if (other > own) add("floors", `imports ${to} (floor ${other}) from floor ${own}: imports only go down`);
  if (from === "machines" && other === TYPES_ONLY_FLOOR && !edge.typeOnly) {
    add("types_only", `machines/ knows the shapes of ${to} only: write \`import type\``);
  }
}

function packageViolations(
  file: SourceFile,
  specifier: string,
  add: (rule: Rule, message: string) => void,
): void {
  const name = packageOf(specifier);
  const builtin = name.startsWith("node:");
  const owners = (builtin ? BUILTIN_OWNERS : PACKAGE_OWNERS)[name];
  if (owners !== undefined && ownedBy(file.path, owners)) return;
  const who =
    owners === undefined ? "has no owner in test/architecture/floors.ts" : `belongs to ${owners.join(", ")}`;
  add(builtin ? "builtins" : "owners", `imports ${name}, which ${who}`);
}

/** Contract: pure; one violation per cycle of imports, type imports included, with its files in order. */
export function cycleViolations(files: readonly SourceFile[]): readonly Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const targets = (file: SourceFile): readonly string[] =>
    file.imports
      .filter((edge) => edge.specifier !== null && isRelative(edge.specifier))
      .map((edge) => targetOf(file.path, edge.specifier as string))
      .filter((target) => byPath.has(target));
  const done = new Set<string>();
  const found: Violation[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      const cycle = [...trail.slice(start), path];
      found.push({ rule: "cycles", path, line: 0, message: `imports itself: ${cycle.join(" → ")}` });
      return;
    }
    if (done.has(path)) return;
    for (const target of targets(byPath.get(path) as SourceFile)) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const file of files) visit(file.path, []);
  return found;
}
