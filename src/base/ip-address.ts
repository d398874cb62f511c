// Addresses of the internet protocol: what a text says, and which addresses are nobody's web server. Pure. The table is
// IANA's special-purpose registries (IPv4, IPv6) as of 2026, and what clouds answer their own machines at. It refuses
// by what is known to be public: of IPv6 only 2000::/3 is, whatever else may be assigned one day.

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** Contract: 4 or 16 bytes; `null` for anything but a whole address as a resolver writes it (no octal, no zone). */
export function parseAddress(text: string): Uint8Array | null {
  if (IPV4.test(text) && !/(^|\.)0\d/.test(text)) return Uint8Array.from(text.split("."), Number);
  if (!/^[0-9a-f:.]{2,45}$/i.test(text) || !text.includes(":")) return null;
  try {
    // The parser of addresses on the web brings every spelling into one: groups in hex, at most one `::`.
    return groups(new URL(`http://[${text}]/`).hostname.slice(1, -1));
  } catch {
    return null;
  }
}

function groups(text: string): Uint8Array {
  const [head = "", tail] = text.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(8 - left.length - right.length).fill("0");
  const words = [...left, ...zeros, ...right].map((word) => Number.parseInt(word, 16));
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]));
}

interface Block {
  readonly bytes: Uint8Array;
  readonly bits: number;
  readonly name: string;
}

function block(range: string, name: string): Block {
  const [address = "", bits = ""] = range.split("/");
  return { bytes: parseAddress(address) as Uint8Array, bits: Number(bits), name };
}

const SPECIAL: readonly Block[] = [
  block("0.0.0.0/8", "this network"),
  block("10.0.0.0/8", "private"),
  block("100.64.0.0/10", "shared by a carrier, or a cloud's metadata"),
  block("127.0.0.0/8", "loopback"),
  block("168.63.129.16/32", "a cloud's metadata"),
  block("169.254.0.0/16", "link-local, or a cloud's metadata"),
  block("172.16.0.0/12", "private"),
  block("192.0.0.0/24", "protocol assignments"),
  block("192.0.2.0/24", "documentation"),
  block("192.31.196.0/24", "AS112"),
  block("192.52.193.0/24", "multicast tunnels"),
  block("192.88.99.0/24", "6to4 relays"),
  block("192.168.0.0/16", "private"),
  block("192.175.48.0/24", "AS112"),
  block("198.18.0.0/15", "benchmarks"),
  block("198.51.100.0/24", "documentation"),
  block("203.0.113.0/24", "documentation"),
  block("224.0.0.0/4", "multicast"),
  block("240.0.0.0/4", "reserved or broadcast"),
  block("::/128", "unspecified"),
  block("::1/128", "loopback"),
  block("::ffff:0:0/96", "IPv4 in IPv6"),
  block("::ffff:0:0:0/96", "IPv4 translated"),
  block("::/96", "IPv4 in IPv6"),
  block("64:ff9b::/96", "IPv4 translated"),
  block("64:ff9b:1::/48", "IPv4 translated"),
  block("100::/64", "discarded"),
  block("2001::/32", "Teredo"),
  block("2001::/23", "protocol assignments"),
  block("2001:db8::/32", "documentation"),
  block("2002::/16", "6to4"),
  block("2620:4f:8000::/48", "AS112"),
  block("3fff::/20", "documentation"),
  block("5f00::/16", "segment routing"),
  block("fc00::/7", "private"),
  block("fe80::/10", "link-local"),
  block("fec0::/10", "site-local"),
  block("ff00::/8", "multicast"),
];
const PUBLIC_IPV6 = block("2000::/3", "public");

function holds({ bytes, bits }: Block, address: Uint8Array): boolean {
  if (address.length !== bytes.length) return false;
  return address.every((byte, index) => {
    const own = Math.min(8, Math.max(0, bits - index * 8));
    const mask = (0xff00 >> own) & 0xff;
    return (byte & mask) === ((bytes[index] ?? 0) & mask);
  });
}

/** What an address is for when it is no ordinary public one; `null` for one on the internet. Contract: never throws. */
export function specialUse(address: Uint8Array): string | null {
  const found = SPECIAL.find((each) => holds(each, address));
  if (found) return found.name;
  return address.length === 4 || holds(PUBLIC_IPV6, address) ? null : "unassigned";
}

/** Whether two texts are one address, however they are written. */
export function sameAddress(one: string, other: string): boolean {
  const [a, b] = [parseAddress(one), parseAddress(other)];
  return a !== null && b !== null && a.length === b.length && a.every((byte, index) => byte === b[index]);
}
