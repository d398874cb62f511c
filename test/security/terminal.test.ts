// Attacks on the terminal (T47-T58): each is led from inside, through the tool, against the walls of this machine, and
// beside it against a naive way to run commands, which falls. What a control does to this machine it does to folders
// and processes of its own.

import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createSocket, type Socket } from "node:dgram";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openBait } from "../../src/base/bait.ts";
import { nodeProcesses } from "../../src/base/process-node.ts";
import { missing, sandboxHere } from "../sandbox/machine.ts";
import { MAX_JOBS } from "../../src/toolsets/terminal-script.ts";
import { attackerIn, makeField, running, wordOf, type Attacker, type Field } from "./terminal-ground.ts";

const isRoot = process.getuid?.() === 0;
/** Longer than any machine needs. */
const SOON = { timeout: 60_000, interval: 20 };

let { ground, walled, bare, clear } = {} as Field;
beforeEach(() => {
  ({ ground, walled, bare, clear } = makeField());
});
afterEach(() => clear());

/** An attack, led behind the walls and without them: whether it said that it worked. */
async function led(attack: string): Promise<{ readonly walled: boolean; readonly bare: boolean }> {
  const worked = async (by: Attacker): Promise<boolean> =>
    (await by.run(`if { ${attack}\n} >/dev/null 2>&1; then echo WORKED; fi`)).output.includes("WORKED");
  return { walled: await worked(walled), bare: await worked(bare) };
}

// Where no walls can be built, there are none to attack: the tool is closed there, which T58 tries everywhere.
describe.skipIf(missing !== null)("behind the walls", () => {
  it("T47 nothing is mounted anew for writing", async () => {
    const outside = join(ground.base, "outside");
    writeFileSync(outside, "as it was");
    chmodSync(outside, 0o666);
    const attack = `mount -o remount,bind,rw / && echo changed >${outside}`;
    await walled.run(`${attack}; mount -o remount,bind,rw /usr && touch /usr/troupe-t47`);
    expect([readFileSync(outside, "utf8"), existsSync("/usr/troupe-t47")]).toEqual(["as it was", false]);
    // The naive sandbox: everything read-only, and the capability to change that.
    const naive = [
      "bwrap",
      "--unshare-user",
      "--unshare-pid",
      "--cap-add",
      "ALL",
      "--ro-bind",
      "/",
      "/",
    ] as const;
    const env = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" };
    await nodeProcesses.run([...naive, "sh", "-c", attack], { env, maxBytes: 1_000 });
    expect(readFileSync(outside, "utf8")).toBe("changed\n");
  });

  it("T48 there is no further user namespace", async () => {
    expect(await led("unshare --user true || unshare --user --map-root-user true")).toEqual({
      walled: false,
      bare: true,
    });
  });

  it("T48 the server is out of sight and out of reach, and so is everything beside it", async () => {
    expect(await led(`kill -0 ${process.pid}`)).toEqual({ walled: false, bare: true });
    expect(await led(`[ -e /proc/${process.pid}/status ]`)).toEqual({ walled: false, bare: true });
    expect(await led(`nsenter --target ${process.pid} --uts true`)).toEqual({ walled: false, bare: isRoot });
    // What is number 1 inside belongs to the sandbox, and cannot be killed from inside either.
    expect((await walled.run("kill -9 1; echo still here")).output).toContain("still here");
    expect((await walled.run("echo and here")).output).toBe("and here\n");
  });

  it("T50 no environment, argument or descriptor of the server is read", async () => {
    const canary = `canary-${ground.base.split("-").at(-1)}`;
    // Stands for the server: a process of this user with a key in its environment.
    const server = await nodeProcesses.start({ argv: ["sleep", "600"], env: { PROVIDER_KEY: canary } });
    const attack =
      "cat /proc/*/environ /proc/*/cmdline; env; set; ls -l /proc/*/fd; cat /proc/*/task/*/environ";
    // A pattern that is not the word: what looks for it stands in /proc too.
    const search = `grep 'PROVIDER_KEY=[c]${canary.slice(1)}'`;
    const look = `{ ${attack}; } 2>/dev/null | tr '\\0' '\\n' | ${search}`;
    expect((await bare.run(look)).output).toContain(`PROVIDER_KEY=${canary}`);
    expect((await walled.run(look)).output).toBe("");
    // What is open that leads out: the session's own three, and the channels of its jobs.
    const open = "find /proc/[0-9]*/fd -lname 'socket:*' -printf '%l\\n' 2>/dev/null | sort -u | wc -l";
    expect((await walled.run(`cat /proc/1/environ; ${open}`)).output).toBe(`${3 + MAX_JOBS}\n`);
    server.kill();
    await server.exited;
  });

  it("T50 files of other users and of the server's home are not there", async () => {
    const key = join(ground.base, "key");
    writeFileSync(key, "secret");
    expect(await led(`cat ${key} /proc/1/root${key}`.replace(" /proc", " || cat /proc"))).toEqual({
      walled: false,
      bare: true,
    });
    expect((await walled.run("cat /etc/shadow ~root/.ssh/* /root/* /home/*/* 2>/dev/null")).output).toBe("");
  });

  it("T51 no port of this machine or of another answers, by TCP or UDP, and no name is resolved", async () => {
    const bait = await openBait(join(ground.base, "socket"));
    expect(await led(`exec 9<>/dev/tcp/127.0.0.1/${bait.port}`)).toEqual({ walled: false, bare: true });
    await expect.poll(() => bait.visitors(), SOON).toBe(1);
    await bait.close();
    const { socket, port, heard } = await udp();
    await walled.run(`echo from inside >/dev/udp/127.0.0.1/${port}`);
    await bare.run(`echo from outside >/dev/udp/127.0.0.1/${port}`);
    await expect.poll(() => heard, SOON).toEqual(["from outside\n"]);
    socket.close();
    const away = [
      "exec 9<>/dev/tcp/169.254.169.254/80",
      "exec 9<>/dev/udp/1.1.1.1/53",
      "getent hosts example.com",
    ];
    const { output } = await walled.run(
      away.map((each) => `(${each}) 2>/dev/null && echo WORKED`).join("\n"),
    );
    expect(output).toBe("");
    expect(
      (await walled.run("tail -n +3 /proc/net/dev | grep -v lo:; cat /proc/net/route | tail -n +2")).output,
    ).toBe("");
  });

  it("T52 no socket file or abstract socket of this machine is reached", async () => {
    const abstract = `troupe-t52-${process.pid}`;
    const path = join(ground.base, "agent.sock");
    const bait = await openBait(path);
    chmodSync(path, 0o777);
    let visitors = 0;
    const door = createServer((socket) => {
      visitors += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => void door.listen(`\0${abstract}`, resolve));
    const connect = (address: string): string =>
      `perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) and connect(S, pack_sockaddr_un(${address})) or exit 1'`;
    expect(await led(connect(`"${path}"`))).toEqual({ walled: false, bare: true });
    expect(await led(connect(String.raw`"\0${abstract}"`))).toEqual({ walled: false, bare: true });
    await expect.poll(() => [bait.visitors(), visitors], SOON).toEqual([1, 1]);
    expect((await walled.run("ls /run /var/run 2>/dev/null; find / -xdev -type s 2>/dev/null")).output).toBe(
      "",
    );
    await bait.close();
    await new Promise((resolve) => void door.close(resolve));
  });

  it("T52 no abstract socket is reached where the machine's network was granted: whoever runs a desktop listens there", async () => {
    const abstract = `troupe-t52-shared-${process.pid}`;
    const door = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => void door.listen(`\0${abstract}`, resolve));
    const online = attackerIn(ground.workspace, sandboxHere({ network: true }));
    const connect = String.raw`perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) and connect(S, pack_sockaddr_un("\0${abstract}")) or exit 1'`;
    const pair = "perl -MSocket -e 'socketpair(A, B, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or exit 1'";
    const codes = async (by: Attacker) => [(await by.run(connect)).exit_code, (await by.run(pair)).exit_code];
    expect([await codes(online), await codes(bare)]).toEqual([
      [1, 0],
      [0, 0],
    ]);
    await online.sessions.close();
    await new Promise((resolve) => void door.close(resolve));
  });

  it.skipIf(process.arch !== "x64")(
    "T48 the kernel's keys, which are in no namespace, and io_uring are out of reach",
    async () => {
      // Whether the kernel refuses it as such; anything else it may say is an answer.
      const call = (number: number, args: string): string =>
        `perl -e 'exit(syscall(${number}, ${args}) == -1 && $! == 1 ? 1 : 0)'`;
      expect(await led(call(250, "0, -3, 0"))).toEqual({ walled: false, bare: true });
      expect((await walled.run(call(425, "1, 0"))).exit_code).toBe(1);
      expect((await walled.run("perl -MSocket -e 'socket(S, 40, SOCK_STREAM, 0) or exit 1'")).exit_code).toBe(
        1,
      );
    },
  );

  it("T53 processes, memory and scratch files are bounded, and the processor is given up to the server", async () => {
    const small = attackerIn(
      ground.workspace,
      sandboxHere({ maxProcesses: 32, maxMemoryBytes: 64 * 2 ** 20 }),
    );
    const burst = `perl -e 'for (1..60) { my $p = fork; last unless defined $p; exec "sleep", "600" unless $p; $n++ } print $n'`;
    const memory = "head -c 200000000 /dev/zero | tail >/dev/null 2>&1";
    const scratch = "dd if=/dev/zero of=$TMPDIR/troupe-t53 bs=1M count=40 status=none; rm $TMPDIR/troupe-t53";
    const shared = "dd if=/dev/zero of=/dev/shm/troupe-t53 bs=1M count=40 status=none";
    const figures = async (by: Attacker) => ({
      memory: (await by.run(memory)).exit_code === 0,
      scratch: (await by.run(scratch)).output === "",
      processes: Number((await by.run(burst)).output.trim()),
      nice: (await by.run("cut -d' ' -f19 /proc/self/stat")).output.trim(),
    });
    const control = await figures(bare);
    expect(control).toMatchObject({ memory: true, scratch: true, processes: 60 });
    const held = await figures(small);
    expect(held).toMatchObject({ memory: false, scratch: false });
    expect(held.processes).toBeLessThan(32);
    expect((await small.run(shared)).exit_code).not.toBe(0);
    expect((await small.run("echo x >/x || echo x >/dev/x || echo x >/usr/x || echo held")).output).toContain(
      "held",
    );
    await small.sessions.close();
  });

  it("T53 a fork bomb stays in its session and ends with it", async () => {
    const word = wordOf("987654");
    const small = attackerIn(ground.workspace, sandboxHere({ maxProcesses: 32 }));
    const bomb = `b() { sleep ${word} & b | b & }; b; sleep 2`;
    const { note } = await small.run(bomb, { timeoutS: 3 }).catch(() => ({ note: "session ended" }));
    expect(running(word).length).toBeLessThan(32);
    expect(note).toBeDefined();
    await small.sessions.close();
    await expect.poll(() => running(word), SOON).toEqual([]);
  });
});

/** Bytes of the flood; 1 GB with TROUPE_FLOOD_BYTES=1000000000. */
const FLOOD = Number(process.env["TROUPE_FLOOD_BYTES"] ?? 200_000_000);

describe.skipIf(missing !== null)("T57 output", () => {
  it("of any length grows no memory and keeps its beginning and its end", async () => {
    const before = process.memoryUsage();
    const flood = `echo begin; head -c ${FLOOD} /dev/zero | tr '\\0' 'x'; echo; echo end`;
    const { output, truncated } = await walled.run(flood);
    const after = process.memoryUsage();
    expect([truncated, output.startsWith("begin\n"), output.endsWith("\nend\n")]).toEqual([true, true, true]);
    expect(output.length).toBeLessThan(70_000);
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    // What a naive collection of the output would hold.
    expect(grown).toBeLessThan(FLOOD / 2);
  });

  it("reaches the model as plain text in whole characters, whatever was written", async () => {
    const { output } = await walled.run(
      String.raw`printf '\033[31mred\033[0m \033]0;title\007\xff\xfe \xe2\x82 \xf0\x9f\x98\x80\n'; printf '10%%\r99%%\r\n'; printf 'a\0b\bc\n'`,
    );
    expect(output).toBe("red \ufffd\ufffd \ufffd \u{1f600}\n99%\nabc\n");
    const emoji = await walled.run(`perl -e 'print "a\\xf0\\x9f\\x98\\x80" x 100000'`);
    expect([emoji.truncated, /\ufffd/.test(emoji.output), emoji.output.isWellFormed()]).toEqual([
      true,
      false,
      true,
    ]);
  });
});

describe("T58 without walls", () => {
  it("no command runs where bubblewrap is missing, and the reason is said; by the config alone it does", async () => {
    const processes = { ...nodeProcesses, run: () => Promise.reject(new Error("ENOENT")) };
    const proof = join(ground.workspace, "ran");
    const closed = attackerIn(ground.workspace, sandboxHere({}, { processes }));
    await expect(closed.run("touch ran")).rejects.toMatchObject({
      code: "sandbox_unavailable",
      message: expect.stringMatching(/bubblewrap.*tools\.terminal\.unsafe/s) as string,
    });
    expect(existsSync(proof)).toBe(false);
    await bare.run("touch ran");
    expect(existsSync(proof)).toBe(true);
  });

  it.skipIf(missing !== null)("no command runs where the self-test finds a way out", async () => {
    const proof = join(ground.workspace, "ran");
    // What a host would be like that lets a sandbox see all of it.
    const start: typeof nodeProcesses.start = (spec) => {
      const argv = spec.argv.flatMap((word) => (word === "--proc" ? ["--bind", "/", "/", word] : [word]));
      return nodeProcesses.start({ ...spec, argv: argv as unknown as typeof spec.argv });
    };
    const leaky = attackerIn(ground.workspace, sandboxHere({}, { processes: { ...nodeProcesses, start } }));
    await expect(leaky.run("touch ran")).rejects.toMatchObject({ code: "sandbox_unavailable" });
    expect(existsSync(proof)).toBe(false);
  });
});

async function udp(): Promise<{ readonly socket: Socket; readonly port: number; readonly heard: string[] }> {
  const socket = createSocket("udp4");
  const heard: string[] = [];
  socket.on("message", (message) => heard.push(message.toString()));
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { socket, port: socket.address().port, heard };
}
