// Which system calls the kernel refuses inside, as a program for its own filter (seccomp), assembled here: what namespaces
// do not cover, and doors of the kernel that no build needs. It is a second wall: what it does not name is let through.
//
// F1. Calls of another architecture than this one, whose numbers mean other things, are all refused.
// F2. Sockets are made of a few families alone; of the machine's own (AF_UNIX) none where its network is shared, because
//     a name of theirs belongs to the network: whoever runs the desktop listens there (CVE-2020-15257 was of that kind).
// F3. What is refused fails like a call that the kernel does not allow: programs go on without it.

/** As `uname -m` says it. */
export type Machine = "x86_64" | "aarch64";

interface Numbers {
  /** AUDIT_ARCH_… of linux/audit.h. */
  readonly architecture: number;
  readonly socket: number;
  readonly refused: readonly number[];
}

/** The same on every architecture: io_uring_setup, _enter, _register. It also makes sockets past any filter (moby#46762). */
const IO_URING = [425, 426, 427];
/**
 * Keys are in no namespace (add_key, request_key, keyctl); perf_event_open, bpf and userfaultfd are how holes of kernels
 * are used. In this order, by asm/unistd_64.h and asm-generic/unistd.h.
 */
const NUMBERS: Readonly<Record<Machine, Numbers>> = {
  x86_64: {
    architecture: 0xc000003e,
    socket: 41,
    refused: [248, 249, 250, 298, 321, 323, ...IO_URING],
  },
  aarch64: {
    architecture: 0xc00000b7,
    socket: 198,
    refused: [217, 218, 219, 241, 280, 282, ...IO_URING],
  },
};

/** AF_INET, AF_INET6, AF_NETLINK: not AF_VSOCK, which reaches the host of a virtual machine past any namespace (moby#44562). */
const FAMILIES = [2, 10, 16];
const AF_UNIX = 1;
/** x86_64 has a second set of numbers for 32-bit pointers, from here on. */
const X32 = 0x40000000;

const [LOAD, EQUAL, AT_LEAST, RETURN] = [0x20, 0x15, 0x35, 0x06];
/** Where the kernel's record of a call has them, in bytes. */
const [NUMBER, ARCHITECTURE, FIRST_ARGUMENT] = [0, 4, 16];
const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const [EPERM, EAFNOSUPPORT] = [1, 97];

type End = "allow" | "refuse" | "no_family";
/** One instruction; a comparison goes on with the next where it names no end. */
interface Line {
  readonly code: number;
  readonly figure: number;
  readonly whenTrue?: End;
  readonly whenFalse?: End;
}

const ENDS: readonly (readonly [End, number])[] = [
  ["no_family", ERRNO | EAFNOSUPPORT],
  ["refuse", ERRNO | EPERM],
  ["allow", ALLOW],
];

/** The machine, where there is a filter for it. Contract: pure. */
export function machineOf(uname: string): Machine | null {
  const name = uname.trim();
  return name === "x86_64" || name === "aarch64" ? name : null;
}

/** The program, as `bwrap --seccomp` reads it. Contract: pure. */
export function callFilter(machine: Machine, network: boolean): Uint8Array {
  const { architecture, socket, refused } = NUMBERS[machine];
  const families = network ? FAMILIES : [AF_UNIX, ...FAMILIES];
  return assembled([
    { code: LOAD, figure: ARCHITECTURE },
    { code: EQUAL, figure: architecture, whenFalse: "refuse" },
    { code: LOAD, figure: NUMBER },
    { code: AT_LEAST, figure: X32, whenTrue: "refuse" },
    ...refused.map((figure): Line => ({ code: EQUAL, figure, whenTrue: "refuse" })),
    { code: EQUAL, figure: socket, whenFalse: "allow" },
    { code: LOAD, figure: FIRST_ARGUMENT },
    ...families.map((figure): Line => ({ code: EQUAL, figure, whenTrue: "allow" })),
  ]);
}

/** `struct sock_filter`, little-endian: code, two jumps in instructions from the next one on, figure. */
function assembled(lines: readonly Line[]): Uint8Array {
  const count = lines.length + ENDS.length;
  const program = new DataView(new ArrayBuffer(count * 8));
  const put = (at: number, code: number, figure: number): void => {
    program.setUint16(at * 8, code, true);
    program.setUint32(at * 8 + 4, figure, true);
  };
  for (const [at, { code, figure, whenTrue, whenFalse }] of lines.entries()) {
    const jump = (end: End | undefined): number =>
      end === undefined ? 0 : lines.length + ENDS.findIndex(([name]) => name === end) - at - 1;
    put(at, code, figure);
    program.setUint8(at * 8 + 2, jump(whenTrue));
    program.setUint8(at * 8 + 3, jump(whenFalse));
  }
  for (const [at, [, answer]] of ENDS.entries()) put(lines.length + at, RETURN, answer);
  return new Uint8Array(program.buffer);
}
