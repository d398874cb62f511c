import { describe, expect, it } from "vitest";
import { bubblewrapArgv, isWithin, sandboxEnv, workspaceProblem } from "../../src/sandbox/bubblewrap-argv.ts";
import type { BubblewrapPlan } from "../../src/sandbox/bubblewrap-argv.ts";

function planOf(rest: Partial<BubblewrapPlan> = {}): BubblewrapPlan {
  return {
    bwrap: "/usr/bin/bwrap",
    drop: null,
    nice: null,
    layout: { links: { "/bin": "usr/bin", "/lib": null } },
    workspace: "/home/me/work",
    pins: [],
    mounts: [],
    network: false,
    filter: null,
    scratchBytes: 1024,
    argv: ["bash", "-c", "true"],
    ...rest,
  };
}

/** The places that a list of arguments mounts something at. */
function mountedAt(argv: readonly string[]): readonly string[] {
  const binds = new Set(["--bind", "--ro-bind", "--ro-bind-try"]);
  return argv.flatMap((word, at) => {
    if (binds.has(word)) return [argv[at + 2] as string];
    return word === "--tmpfs" || word === "--proc" || word === "--dev" ? [argv[at + 1] as string] : [];
  });
}

describe("bubblewrapArgv", () => {
  it("B1 shows system folders, a few files of /etc and the workspace, and no place where sockets lie", () => {
    const places = mountedAt(
      bubblewrapArgv(planOf({ mounts: [{ source: "/srv/node", path: "/opt/node" }] })),
    );
    const outside = places.filter((path) => !path.startsWith("/etc/"));
    expect(outside).toEqual([
      "/usr",
      "/lib",
      "/proc",
      "/dev",
      "/dev/shm",
      "/tmp",
      "/opt/node",
      "/home/me/work",
    ]);
    expect(places).not.toContain("/etc");
    expect(places.some((path) => /shadow|sudoers|\/run|\/root|ssh/.test(path))).toBe(false);
  });

  it("B2 mounts one folder for writing, bounds what is memory, and pins what is asked for after it", () => {
    const pins = [
      { path: "/home/me/work/conf", kind: "in_place" },
      { path: "/home/me/work/conf/config.yaml", kind: "read_only" },
    ] as const;
    const words = bubblewrapArgv(planOf({ pins })).join(" ");
    expect(words.match(/ --bind /g)).toHaveLength(2);
    expect(words).toContain(
      "--bind /home/me/work /home/me/work --bind /home/me/work/conf /home/me/work/conf " +
        "--ro-bind /home/me/work/conf/config.yaml /home/me/work/conf/config.yaml --remount-ro / ",
    );
    expect(words.match(/--size 1024 --tmpfs (\/tmp|\/dev\/shm)/g)).toHaveLength(2);
  });

  it("B3 asks for every wall, and for the network only where it was granted", () => {
    const argv = bubblewrapArgv(planOf());
    const walls = ["--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "--new-session"];
    expect(argv).toEqual(expect.arrayContaining([...walls, "--die-with-parent", "--clearenv"]));
    expect(argv[argv.indexOf("--cap-drop") + 1]).toBe("ALL");
    expect(argv).not.toContain("--share-net");
    expect(bubblewrapArgv(planOf({ network: true }))).toEqual(
      expect.arrayContaining(["--share-net", "/etc/resolv.conf"]),
    );
    expect(argv).not.toContain("/etc/resolv.conf");
    expect(argv).not.toContain("--seccomp");
    expect(bubblewrapArgv(planOf({ filter: 7 })).join(" ")).toContain(" --seccomp 7 ");
  });

  it("becomes another user before anything else, and stays polite to the server", () => {
    const drop = { setpriv: "/usr/bin/setpriv", uid: 1000, gid: 100 };
    const argv = bubblewrapArgv(planOf({ drop, nice: "/usr/bin/nice" }));
    const before = argv.slice(0, argv.indexOf("/usr/bin/bwrap")).join(" ");
    expect(before).toBe(
      "/usr/bin/setpriv --reuid 1000 --regid 100 --clear-groups --no-new-privs /usr/bin/nice -n 19",
    );
  });

  it("ends with the program, which no word of it can be an option of", () => {
    const argv = bubblewrapArgv(planOf({ argv: ["--bind", "/", "/"] }));
    expect(argv.slice(argv.lastIndexOf("--"))).toEqual(["--", "--bind", "/", "/"]);
  });
});

it("the environment inside is a list, with the programs of further folders first", () => {
  expect(Object.keys(sandboxEnv([])).toSorted()).toEqual(
    [
      "GIT_PAGER",
      "GIT_TERMINAL_PROMPT",
      "HOME",
      "LANG",
      "NO_COLOR",
      "PAGER",
      "PATH",
      "TERM",
      "TMPDIR",
    ].toSorted(),
  );
  expect(sandboxEnv(["/opt/node"])["PATH"]).toBe("/opt/node/bin:/usr/local/bin:/usr/bin:/bin");
});

it.each([
  "/",
  "/usr",
  "/usr/src/x",
  "/etc",
  "/proc/self/cwd",
  "/dev/shm/a",
  "/run/user/1000",
  "/var",
  "/tmp",
])("%s can be no workspace", (path) => {
  expect(workspaceProblem(path)).not.toBeNull();
});

it.each(["/home/me/work", "/tmp/a", "/srv/x", "/root/project", "/usr2", "/var/tmp/x"])(
  "%s can be a workspace",
  (path) => {
    expect(workspaceProblem(path)).toBeNull();
  },
);

it("tells what lies within from what only begins alike", () => {
  expect([isWithin("/a/b", "/a"), isWithin("/a", "/a"), isWithin("/ab", "/a"), isWithin("/a", "/")]).toEqual([
    true,
    true,
    false,
    true,
  ]);
});
