// Installs what the lockfiles say, once per lockfile, on whatever Node (18 or newer) and npm the machine has.
// Where that Node is older than 22.18, which runs TypeScript unbuilt, a pinned Node is installed beside the
// sources (scripts/node, a package of its own) and linked where npm's scripts look first. Folders named as
// arguments (`bench`, `test/runtimes`) are packages of their own and are installed as well. `--without-dev` leaves out
// what only tests and checks need: the first demo on a machine is to be quick. Prints nothing when there is nothing to
// do. It refuses to change a lockfile: what is installed is what the lockfile says.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Whether this Node runs our sources as they are. */
function runsTypeScript(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

/**
 * `npm ci` in `folder`, unless its lockfile is the one that was installed last. Without development dependencies, a
 * whole install will do as well.
 */
function install(folder, withDev = true) {
  const lock = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  const stamp = join(folder, "node_modules", ".setup-stamp");
  const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  const wanted = withDev ? lock : `${lock} without dev`;
  if (installed === lock || installed === wanted) return;
  process.stderr.write(`Installing ${relative(root, folder) || "dependencies"} (npm ci)…\n`);
  // Said outright, so that NODE_ENV and a person's npm config cannot leave out what the tests need.
  const which = withDev ? "--include=dev" : "--omit=dev";
  const run = spawnSync("npm", ["ci", which, "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    // npm's own chatter belongs to stderr: stdout may be one JSON document.
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (run.status !== 0) {
    process.stderr.write(`npm ci failed in ${folder}; see above. Nothing was started.\n`);
    process.exit(run.status ?? 1);
  }
  writeFileSync(stamp, wanted);
}

/** Makes `node` of npm's scripts the pinned one. */
function linkNode() {
  const packages = join(root, "scripts", "node", "node_modules");
  const name = process.platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  const windows = process.platform === "win32";
  const folder = `${name}-${windows ? "win" : process.platform}-${process.arch}`;
  const binary = join(packages, folder, "bin", windows ? "node.exe" : "node");
  if (!existsSync(binary)) {
    process.stderr.write(
      `Troupe needs Node 22.18 or newer and found ${process.versions.node}; no pinned Node exists for ` +
        `${process.platform}/${process.arch}. Install Node 22.18 or newer, then run this again.\n`,
    );
    process.exit(1);
  }
  const bin = join(root, "node_modules", ".bin");
  mkdirSync(bin, { recursive: true });
  if (windows) {
    writeFileSync(join(bin, "node.cmd"), `@"${binary}" %*\r\n`);
    return;
  }
  rmSync(join(bin, "node"), { force: true });
  symlinkSync(binary, join(bin, "node"));
}

// Asked before the install, which empties node_modules: the Node that runs this may be the linked one.
const linked = existsSync(
  join(root, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node"),
);
const options = process.argv.slice(2);
install(root, !options.includes("--without-dev"));
if (linked || !runsTypeScript(process.versions.node)) {
  install(join(root, "scripts", "node"));
  linkNode();
}
for (const folder of options.filter((option) => !option.startsWith("--"))) install(join(root, folder));
