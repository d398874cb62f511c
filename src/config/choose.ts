// Which models to use when nobody has said: pure arithmetic over what is installed. The parent gets the largest
// model with tools that fits; children a smaller one that fits beside it, so that neither pushes the other out.

/** A model as the choice sees it. */
export interface Candidate {
  /** `provider/model`. */
  readonly name: string;
  readonly sizeBytes: number | null;
  readonly tools: boolean;
}

export interface Choice {
  readonly name: string;
  /** The reason, to follow the name in a start-up line. */
  readonly why: string;
}

const GIB = 1024 ** 3;
/** Weights, and their share of cache and buffers at 16,384 tokens; within 15 % for qwen3 8B and 32B at 4 bits. */
const NEED_FACTOR = 1.25;
const NEED_BASE_BYTES = GIB;
/** Ollama loads beside another model only what takes at most this share of what is free. */
const BESIDE_SHARE = 0.8;

/** Bytes of VRAM that a model of this size takes, roughly. */
export function neededBytes(sizeBytes: number): number {
  return sizeBytes * NEED_FACTOR + NEED_BASE_BYTES;
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}

/** Largest first; of equals the first by name, so that the choice is the same every time. */
function bySize(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.toSorted((a, b) => (b.sizeBytes ?? 0) - (a.sizeBytes ?? 0) || (a.name < b.name ? -1 : 1));
}

/** Contract: `null` when no candidate has tools; never throws. */
export function chooseParent(candidates: readonly Candidate[], vramBytes: number | null): Choice | null {
  const able = bySize(candidates.filter((candidate) => candidate.tools));
  const largest = able[0];
  if (largest === undefined) return null;
  if (vramBytes === null) {
    return {
      name: largest.name,
      why: "the largest installed model with tools (VRAM unknown, so its fit is not checked)",
    };
  }
  const fitting = able.find((candidate) => neededBytes(candidate.sizeBytes ?? 0) <= vramBytes);
  if (fitting !== undefined) {
    return {
      name: fitting.name,
      why: `the largest installed model with tools that fits ${gib(vramBytes)} of VRAM`,
    };
  }
  const smallest = able.at(-1) as Candidate;
  const why = `the smallest installed model with tools; none fits ${gib(vramBytes)} of VRAM whole, so it will be slow`;
  return { name: smallest.name, why };
}

/** Contract: `parent` is one of the candidates; never throws. */
export function chooseChild(
  parent: Candidate,
  candidates: readonly Candidate[],
  vramBytes: number | null,
): Choice {
  const size = parent.sizeBytes;
  const smaller = bySize(candidates).filter(
    (candidate) =>
      candidate.tools && candidate.sizeBytes !== null && size !== null && candidate.sizeBytes < size,
  );
  if (smaller.length === 0)
    return { name: parent.name, why: "the parent's: no smaller model with tools is installed" };
  if (vramBytes === null || size === null) {
    return {
      name: parent.name,
      why: "the parent's: VRAM is unknown, and a second model could push the first one out",
    };
  }
  const free = (vramBytes - neededBytes(size)) * BESIDE_SHARE;
  const beside = smaller.find((candidate) => neededBytes(candidate.sizeBytes as number) <= free);
  if (beside === undefined) {
    return { name: parent.name, why: "the parent's: no smaller model with tools fits beside it" };
  }
  return {
    name: beside.name,
    why: `a smaller model with tools that fits beside the parent's in ${gib(vramBytes)} of VRAM`,
  };
}
