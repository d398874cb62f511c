// Writes a model file that a real Ollama loads: llama's architecture, two layers, random weights from a seed, half a
// megabyte, no dependency. What it says is noise; it is there to try the plumbing against the real server.

import { seededRandom } from "../../src/base/ids.ts";

const SHAPE = { width: 64, layers: 2, heads: 4, kvHeads: 2, feedForward: 128, context: 2048 };
const ALIGNMENT = 32;

/** The type numbers of GGUF's metadata. */
const TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, text: 8, list: 9 } as const;

/** Token kinds of a SentencePiece vocabulary. */
const KIND = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;

/** The end of an answer: its place in the vocabulary. */
const END_TOKEN = 2;

interface Token {
  readonly text: string;
  readonly score: number;
  readonly kind: number;
}

interface Tensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Bytes that grow, little-endian. */
class Bytes {
  readonly #parts: Uint8Array[] = [];
  size = 0;

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    this.size += bytes.byteLength;
    return this;
  }

  #number(width: number, write: (view: DataView) => void): this {
    const bytes = new Uint8Array(width);
    write(new DataView(bytes.buffer));
    return this.raw(bytes);
  }

  u32(value: number): this {
    return this.#number(4, (view) => view.setUint32(0, value, true));
  }

  i32(value: number): this {
    return this.#number(4, (view) => view.setInt32(0, value, true));
  }

  f32(value: number): this {
    return this.#number(4, (view) => view.setFloat32(0, value, true));
  }

  u64(value: number): this {
    return this.#number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }

  text(value: string): this {
    const bytes = new TextEncoder().encode(value);
    return this.u64(bytes.length).raw(bytes);
  }

  padTo(multiple: number): this {
    return this.raw(new Uint8Array(padded(this.size, multiple) - this.size));
  }

  joined(): Uint8Array {
    const all = new Uint8Array(this.size);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.byteLength;
    }
    return all;
  }
}

function padded(size: number, multiple: number): number {
  return Math.ceil(size / multiple) * multiple;
}

/** One token per byte, so that any text can be read; printable characters, and a few words. */
function vocabulary(): readonly Token[] {
  const control = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"];
  const bytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, "0"));
  const characters = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at));
  const words = ["▁the", "▁a", "▁tool", "name", "true", "false", "user", "system", "assistant", "ing"];
  return [
    { text: "<unk>", score: 0, kind: KIND.unknown },
    ...control.map((text) => ({ text, score: 0, kind: KIND.control })),
    ...bytes.map((hex) => ({ text: `<0x${hex}>`, score: 0, kind: KIND.byte })),
    ...["▁", ...characters].map((text) => ({ text, score: -10, kind: KIND.normal })),
    ...words.map((text, at) => ({ text, score: -1 - at / 100, kind: KIND.normal })),
  ];
}

type Value = { readonly type: keyof typeof TYPE; readonly write: (bytes: Bytes) => void };

const u32 = (value: number): Value => ({ type: "u32", write: (bytes) => bytes.u32(value) });
const f32 = (value: number): Value => ({ type: "f32", write: (bytes) => bytes.f32(value) });
const text = (value: string): Value => ({ type: "text", write: (bytes) => bytes.text(value) });
const bool = (value: boolean): Value => ({
  type: "bool",
  write: (bytes) => bytes.raw(new Uint8Array([value ? 1 : 0])),
});
const list = (items: readonly Value[]): Value => ({
  type: "list",
  write: (bytes) => {
    bytes.u32(TYPE[items[0]?.type ?? "u32"]).u64(items.length);
    for (const item of items) item.write(bytes);
  },
});

function metadata(name: string, tokens: readonly Token[]): ReadonlyMap<string, Value> {
  const kind = (value: number): Value => ({ type: "i32", write: (bytes) => bytes.i32(value) });
  return new Map<string, Value>([
    ["general.architecture", text("llama")],
    ["general.name", text(name)],
    ["general.alignment", u32(ALIGNMENT)],
    ["general.file_type", u32(0)],
    ["llama.context_length", u32(SHAPE.context)],
    ["llama.embedding_length", u32(SHAPE.width)],
    ["llama.block_count", u32(SHAPE.layers)],
    ["llama.feed_forward_length", u32(SHAPE.feedForward)],
    ["llama.attention.head_count", u32(SHAPE.heads)],
    ["llama.attention.head_count_kv", u32(SHAPE.kvHeads)],
    ["llama.attention.layer_norm_rms_epsilon", f32(1e-5)],
    ["llama.rope.dimension_count", u32(SHAPE.width / SHAPE.heads)],
    ["llama.vocab_size", u32(tokens.length)],
    ["tokenizer.ggml.model", text("llama")],
    ["tokenizer.ggml.tokens", list(tokens.map((token) => text(token.text)))],
    ["tokenizer.ggml.scores", list(tokens.map((token) => f32(token.score)))],
    ["tokenizer.ggml.token_type", list(tokens.map((token) => kind(token.kind)))],
    ["tokenizer.ggml.unknown_token_id", u32(0)],
    ["tokenizer.ggml.bos_token_id", u32(1)],
    ["tokenizer.ggml.eos_token_id", u32(END_TOKEN)],
    ["tokenizer.ggml.padding_token_id", u32(END_TOKEN)],
    ["tokenizer.ggml.add_bos_token", bool(true)],
    ["tokenizer.ggml.add_space_prefix", bool(false)],
  ]);
}

/**
 * Normal noise, scaled so that the layers neither explode nor fade. Tokens that are no text get no weight in the
 * output: they never come among the 40 most likely that Ollama samples from, so that what is said is printable and
 * has no end. A model that ends has a somewhat louder end token.
 */
function weights(seed: number, tokens: readonly Token[], ends: boolean): readonly Tensor[] {
  const vocab = tokens.length;
  const random = seededRandom(seed);
  const noise = (): number =>
    Math.sqrt(-2 * Math.log(random.next() + 1e-12)) * Math.cos(2 * Math.PI * random.next());
  const matrix = (name: string, ...dims: readonly [number, number]): Tensor => {
    const scale = 1 / Math.sqrt(dims[0]);
    return { name, dims, data: Float32Array.from({ length: dims[0] * dims[1] }, () => noise() * scale) };
  };
  const output = matrix("output.weight", SHAPE.width, vocab);
  for (const [row, { kind }] of tokens.entries()) {
    const weight = kind === KIND.normal ? 1 : ends && row === END_TOKEN ? 1.5 : 0;
    for (let at = row * SHAPE.width; at < (row + 1) * SHAPE.width; at++) {
      output.data[at] = (output.data[at] ?? 0) * weight;
    }
  }
  const ones = (name: string): Tensor => ({
    name,
    dims: [SHAPE.width],
    data: new Float32Array(SHAPE.width).fill(1),
  });
  const { width, feedForward, heads, kvHeads } = SHAPE;
  const kvWidth = (width / heads) * kvHeads;
  const layers = Array.from({ length: SHAPE.layers }, (_, at) => [
    ones(`blk.${at}.attn_norm.weight`),
    matrix(`blk.${at}.attn_q.weight`, width, width),
    matrix(`blk.${at}.attn_k.weight`, width, kvWidth),
    matrix(`blk.${at}.attn_v.weight`, width, kvWidth),
    matrix(`blk.${at}.attn_output.weight`, width, width),
    ones(`blk.${at}.ffn_norm.weight`),
    matrix(`blk.${at}.ffn_gate.weight`, width, feedForward),
    matrix(`blk.${at}.ffn_up.weight`, width, feedForward),
    matrix(`blk.${at}.ffn_down.weight`, feedForward, width),
  ]);
  return [matrix("token_embd.weight", width, vocab), ...layers.flat(), ones("output_norm.weight"), output];
}

/**
 * The whole file, version 3, every weight as a 32-bit float; the same arguments give the same bytes. A model that does
 * not end writes until it is cut.
 */
export function makeGguf(seed: number, options: { readonly ends: boolean }): Uint8Array {
  const tokens = vocabulary();
  const tensors = weights(seed, tokens, options.ends);
  const about = metadata(`tiny-random-${seed}`, tokens);
  const bytes = new Bytes().raw(new TextEncoder().encode("GGUF")).u32(3).u64(tensors.length).u64(about.size);
  for (const [key, value] of about) {
    bytes.text(key).u32(TYPE[value.type]);
    value.write(bytes);
  }
  let offset = 0;
  for (const { name, dims, data } of tensors) {
    bytes.text(name).u32(dims.length);
    for (const dim of dims) bytes.u64(dim);
    bytes.u32(0).u64(offset);
    offset = padded(offset + data.byteLength, ALIGNMENT);
  }
  bytes.padTo(ALIGNMENT);
  for (const { data } of tensors) bytes.raw(new Uint8Array(data.buffer)).padTo(ALIGNMENT);
  return bytes.joined();
}
