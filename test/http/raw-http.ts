// HTTP by hand over a socket, for requests that fetch would not send: foreign Host headers, none at all, broken framing.

import { connect } from "node:net";
import { TOKEN, type Rig } from "./rig.ts";

export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends the text as it is and reads until the server closes; the request should say `Connection: close`. */
export function rawRequest(box: Rig, text: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(box.server.port, "127.0.0.1", () => socket.write(text));
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      answer += String(chunk);
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(parseAnswer(answer)));
  });
}

export interface RawParts {
  readonly method?: string;
  readonly target?: string;
  /** `null` sends no Host header. */
  readonly host?: string | null;
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** A request with the token, and with these parts as they are. */
export function rawText(box: Rig, parts: RawParts): string {
  const { method = "GET", target = "/v1/status", body = "" } = parts;
  const host = parts.host === undefined ? `127.0.0.1:${box.server.port}` : parts.host;
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(host === null ? [] : [`Host: ${host}`]),
    `Authorization: Bearer ${TOKEN}`,
    "Connection: close",
    ...(parts.headers ?? []),
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

function parseAnswer(text: string): RawAnswer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const at = line.indexOf(":");
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
  });
  return { status: Number(first.split(" ")[1]), headers: new Map(headers), body: rest.join("\r\n\r\n") };
}
