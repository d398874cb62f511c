// Which entries of git's index are commits of other repositories: its submodules. Read as git writes it (versions 2 to
// 4, either kind of hash), because the words of `.gitmodules` are a task's to change, and no git is run for it. Pure.

const SIGNATURE = 0x44_49_52_43;
const HEADER_BYTES = 12;
/** Times, device, inode, mode, owner and size of an entry. */
const STAT_BYTES = 40;
const MODE_AT = 24;
const EXTENDED = 0x4000;
const GITLINK = 0o160_000;

export type HashBytes = 20 | 32;

/** One entry: its name, how it is kept, and where the next one begins. */
interface Entry {
  readonly name: Uint8Array;
  readonly mode: number;
  readonly end: number;
}

/** Paths, relative to the checkout. Contract: throws RangeError or TypeError for what is no index. */
export function gitlinksIn(index: Uint8Array, hashBytes: HashBytes): readonly string[] {
  const view = new DataView(index.buffer, index.byteOffset, index.byteLength);
  const version = view.getUint32(4);
  if (view.getUint32(0) !== SIGNATURE || version < 2 || version > 4)
    throw new RangeError("it is no index of git");
  const links: string[] = [];
  let name: Uint8Array = new Uint8Array(0);
  let at = HEADER_BYTES;
  for (let left = view.getUint32(8); left > 0; left -= 1) {
    const entry = entryAt(view, at, { version, hashBytes, before: name });
    if ((entry.mode & 0o170_000) === GITLINK) {
      links.push(new TextDecoder("utf-8", { fatal: true }).decode(entry.name));
    }
    ({ name, end: at } = entry);
  }
  return links;
}

interface Reading {
  readonly version: number;
  readonly hashBytes: HashBytes;
  /** The name of the entry before, whose beginning version 4 leaves out. */
  readonly before: Uint8Array;
}

function entryAt(view: DataView, at: number, { version, hashBytes, before }: Reading): Entry {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const mode = view.getUint32(at + MODE_AT);
  const flagsAt = at + STAT_BYTES + hashBytes;
  const extended = (view.getUint16(flagsAt) & EXTENDED) === 0 ? 0 : 2;
  let from = flagsAt + 2 + extended;
  let kept: Uint8Array = new Uint8Array(0);
  if (version === 4) {
    const dropped = offsetAt(view, from);
    from = dropped.end;
    kept = before.subarray(0, before.length - dropped.value);
  }
  const stop = bytes.indexOf(0, from);
  if (stop < 0) throw new RangeError("a name has no end");
  const name = new Uint8Array(kept.length + stop - from);
  name.set(kept);
  name.set(bytes.subarray(from, stop), kept.length);
  // Before version 4 one to eight zeros follow, to a multiple of eight.
  const end = version === 4 ? stop + 1 : at + Math.ceil((stop + 1 - at) / 8) * 8;
  return { name, mode, end };
}

/** A number in pieces of seven bits, as git writes it: each but the last piece counts one more. */
function offsetAt(view: DataView, at: number): { readonly value: number; readonly end: number } {
  let end = at;
  let piece = view.getUint8(end++);
  let value = piece & 0x7f;
  while ((piece & 0x80) !== 0) {
    piece = view.getUint8(end++);
    value = (value + 1) * 128 + (piece & 0x7f);
  }
  return { value, end };
}
