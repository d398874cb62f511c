// The two tiny models, made on a server through its own API, so that any Ollama that answers can be tested, whether
// or not its program is here. A megabyte in all; they are taken away again by whoever made them.

import { toHex } from "../../src/base/ids.ts";
import { makeGguf } from "./make-gguf.ts";

/** Ollama reads from the template that a model can be given tools. */
const TOOLS_TEMPLATE = `{{- if .Tools }}{{ range .Tools }}{{ .Function.Name }} {{ end }}
{{ end }}{{ range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}{{ range .ToolCalls }}{"name": "{{ .Function.Name }}", "parameters": {{ .Function.Arguments }}}{{ end }}<|im_end|>
{{ end }}<|im_start|>assistant
`;

/** Can be given tools, and ends by itself. */
export const TOOLS_MODEL = "troupe-tiny-tools";
/** Has no tools, and writes until it is cut or aborted. */
export const PLAIN_MODEL = "troupe-tiny-plain";

export const TINY_MODELS: readonly string[] = [TOOLS_MODEL, PLAIN_MODEL];

async function sent(url: string, init: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  const text = await response.text();
  // A creation that fails half-way says so in a line of its stream, with status 200.
  if (response.ok && !text.includes('"error"')) return text;
  throw new Error(`Expected ${init.method} ${url} to succeed, got ${response.status}: ${text.slice(-500)}`);
}

/** A model to be made: its weights as a file, and how a chat is written for it. */
export interface Recipe {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly template: string;
}

/** Makes one, in place of what has its name. Contract: throws what the server says against it. */
export async function createModel(baseUrl: string, { name, bytes, template }: Recipe): Promise<void> {
  const hash = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  await sent(`${baseUrl}/api/blobs/sha256:${hash}`, { method: "POST", body: bytes });
  // One thread: on a busy machine more of them only spin while they wait for each other.
  const parameters = { num_thread: 1 };
  const files = { [`${name}.gguf`]: `sha256:${hash}` };
  const body = JSON.stringify({ model: name, files, template, parameters });
  await sent(`${baseUrl}/api/create`, { method: "POST", body });
}

/** Makes both, in place of what has their names. Contract: throws what the server says against it. */
export async function createTinyModels(baseUrl: string): Promise<void> {
  const recipes: readonly Recipe[] = [
    { name: TOOLS_MODEL, bytes: bytesOf(1, true), template: TOOLS_TEMPLATE },
    plainModel(PLAIN_MODEL, 2),
  ];
  for (const recipe of recipes) await createModel(baseUrl, recipe);
}

/** One that has no tools and no end, of other weights for another seed. */
export function plainModel(name: string, seed: number): Recipe {
  return { name, bytes: bytesOf(seed, false), template: "{{ .Prompt }}" };
}

const bytesOf = (seed: number, ends: boolean): Uint8Array<ArrayBuffer> =>
  new Uint8Array(makeGguf(seed, { ends }));

/** Makes a second name for a model. */
export async function copyModel(baseUrl: string, source: string, destination: string): Promise<void> {
  await sent(`${baseUrl}/api/copy`, { method: "POST", body: JSON.stringify({ source, destination }) });
}

export async function deleteModel(baseUrl: string, model: string): Promise<void> {
  await sent(`${baseUrl}/api/delete`, { method: "DELETE", body: JSON.stringify({ model }) });
}
