// Reads what Markdown documents claim about the checkout: paths, commands, and the form of records and the changelog.
// Pure: it sees texts and answers with words.

/** Files without an extension or a folder that documents name. */
const BARE_FILES = new Set(["LICENSE", ".npmrc", ".ci/run"]);
/** Files that belong to who uses Troupe, not to the checkout. */
const FOREIGN_FILES = new Set(["config.yaml"]);
const EXTENSIONS = /[\w-]\.(?:ts|mjs|md|json|yaml|sh)$/;
const ROOTS = new Set("src machines providers bench test scripts docs web .ci".split(" "));

/** Whether a word that is set as code names a path of the checkout; globs, URLs, routes and packages do not. */
function isPath(word: string): boolean {
  if (BARE_FILES.has(word)) return true;
  if (FOREIGN_FILES.has(word)) return false;
  if (!/^\.?[\w-][\w./-]*$/.test(word) || word.includes("//")) return false;
  if (EXTENSIONS.test(word)) return true;
  return word.includes("/") && (word.endsWith("/") || ROOTS.has(word.split("/")[0] ?? ""));
}

/** Words of inline code, of fenced code, and the targets of links, in that order. */
function wordsOf(text: string): readonly string[] {
  const fenced = [...text.matchAll(/^```[^\n]*\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? "");
  const prose = text.replace(/^```[^\n]*\n[\s\S]*?^```/gm, "");
  const inline = [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "");
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? "");
  const code = [...inline, ...fenced].flatMap((piece) => piece.split(/\s+/));
  return [...code, ...links].map((word) => word.replace(/(?::\d+|#.*|[,;:])$/, ""));
}

/** The paths that a document names, each once. */
export function pathsIn(text: string): readonly string[] {
  return [...new Set(wordsOf(text).filter(isPath))];
}

/** The scripts of package.json that a document's npm commands run, each once. */
export function commandsIn(text: string): readonly string[] {
  const named = [...text.matchAll(/\bnpm (?:run (?:-s |--silent )?([a-z][\w:-]*)|(test|start)\b)/g)];
  return [...new Set(named.map((match) => match[1] ?? match[2] ?? ""))];
}

const PARTS = ["Context", "Decision", "Alternatives", "Consequences"];
const STATUS = /^Status: (?:proposed|accepted|rejected|superseded by \d{4})$/m;
/** A printed page. */
const PAGE_WORDS = 450;
const PAGE_LINES = 60;

/** What is wrong with a record of a decision; nothing when it is well formed. */
export function recordProblems(path: string, text: string): readonly string[] {
  const number = /(\d{4})-[^/]*\.md$/.exec(path)?.[1] ?? "";
  const parts = [...text.matchAll(/^## (.+)$/gm)].map((match) => match[1] ?? "");
  const words = text.split(/\s+/).filter(Boolean).length;
  const lines = text.trimEnd().split("\n").length;
  const problems: string[] = [];
  if (!text.startsWith(`# ${number}. `)) problems.push(`does not begin with \`# ${number}. Title\``);
  if (!STATUS.test(text))
    problems.push("has no line `Status: proposed|accepted|rejected|superseded by NNNN`");
  if (parts.join() !== PARTS.join())
    problems.push(`has the parts ${parts.join(", ")}, not ${PARTS.join(", ")}`);
  if (words > PAGE_WORDS) problems.push(`has ${words} words, at most ${PAGE_WORDS}`);
  if (lines > PAGE_LINES) problems.push(`has ${lines} lines, at most ${PAGE_LINES}`);
  return problems;
}

const KINDS = new Set(["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]);
const VERSION = /^\[(?:Unreleased\]|\d+\.\d+\.\d+(?:-[\w.]+)?\] - \d{4}-\d{2}-\d{2})$/;

/** What is wrong with a changelog in the form of Keep a Changelog; nothing when it is well formed. */
export function changelogProblems(text: string): readonly string[] {
  const versions = [...text.matchAll(/^## (.+)$/gm)].map((match) => match[1] ?? "");
  const kinds = [...text.matchAll(/^### (.+)$/gm)].map((match) => match[1] ?? "");
  const problems: string[] = [];
  if (!text.startsWith("# Changelog\n")) problems.push("does not begin with `# Changelog`");
  if (versions[0] !== "[Unreleased]") problems.push("does not have [Unreleased] as its first part");
  problems.push(...versions.filter((line) => !VERSION.test(line)).map((line) => `\`${line}\` is no version`));
  problems.push(
    ...kinds.filter((kind) => !KINDS.has(kind)).map((kind) => `\`${kind}\` is no kind of change`),
  );
  return problems;
}
