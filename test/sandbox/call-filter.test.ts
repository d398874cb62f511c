import { describe, expect, it } from "vitest";
import { callFilter, machineOf, type Machine } from "../../src/sandbox/call-filter.ts";

interface Call {
  readonly architecture: number;
  readonly number: number;
  readonly first?: number;
}

const [ALLOW, EPERM, EAFNOSUPPORT] = [0x7fff0000, 0x00050001, 0x00050061];
const X86 = { architecture: 0xc000003e };
const ARM = { architecture: 0xc00000b7 };

/** The kernel's machine, as far as such programs use it. Throws where a program runs out of its end. */
function answer(program: Uint8Array, { architecture, number, first = 0 }: Call): number {
  const view = new DataView(program.buffer);
  const record: Readonly<Record<number, number>> = { 0: number, 4: architecture, 16: first };
  let loaded = 0;
  for (let at = 0; ; at += 1) {
    const [code, figure] = [view.getUint16(at * 8, true), view.getUint32(at * 8 + 4, true)];
    if (code === 0x20) loaded = record[figure] as number;
    else if (code === 0x06) return figure;
    else {
      const isTrue = code === 0x15 ? loaded === figure : loaded >= figure;
      at += view.getUint8(at * 8 + (isTrue ? 2 : 3));
    }
  }
}

describe("callFilter", () => {
  it("F1 refuses every call of another architecture, and of the second set of numbers", () => {
    const filter = callFilter("x86_64", false);
    for (const number of [0, 1, 41, 59]) {
      expect(answer(filter, { architecture: 0x40000003, number })).toBe(EPERM);
      expect(answer(filter, { ...X86, number: 0x40000000 + number })).toBe(EPERM);
    }
    expect(answer(callFilter("aarch64", false), { ...X86, number: 0 })).toBe(EPERM);
  });

  it("refuses keys, tracing and io_uring, and nothing beside what it names", () => {
    const refusedOf = (machine: Machine, { architecture }: typeof X86): readonly number[] => {
      const filter = callFilter(machine, false);
      const socket = machine === "x86_64" ? 41 : 198;
      return Array.from({ length: 1_000 }, (_, number) => number).filter(
        (number) => number !== socket && answer(filter, { architecture, number }) !== ALLOW,
      );
    };
    expect(refusedOf("x86_64", X86)).toEqual([248, 249, 250, 298, 321, 323, 425, 426, 427]);
    expect(refusedOf("aarch64", ARM)).toEqual([217, 218, 219, 241, 280, 282, 425, 426, 427]);
  });

  it.each([
    ["x86_64", X86, 41],
    ["aarch64", ARM, 198],
  ] as const)(
    "F2 has sockets of a few families on %s, and of the machine's own without its network",
    (machine, at, number) => {
      const allowed = (network: boolean): readonly number[] =>
        Array.from({ length: 64 }, (_, first) => first).filter(
          (first) => answer(callFilter(machine, network), { ...at, number, first }) === ALLOW,
        );
      expect(allowed(false)).toEqual([1, 2, 10, 16]);
      expect(allowed(true)).toEqual([2, 10, 16]);
      expect(answer(callFilter(machine, false), { ...at, number, first: 40 })).toBe(EAFNOSUPPORT);
    },
  );
});

it("machineOf knows what uname says of two", () => {
  expect(["x86_64\n", "aarch64", "riscv64", ""].map(machineOf)).toEqual(["x86_64", "aarch64", null, null]);
});
