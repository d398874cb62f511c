// A page on this machine that holds Stately's Inspector in a frame and passes it what the machines do. The package
// `@statelyai/inspect` has a server for this; it is not used, because it listens on every address of the machine and
// asks nobody who they are.
//
// Y1. Only this machine reaches it, and only who knows the path: 128 random bits that are in no request to others.
// Y2. Each page has a feed of its own, which ends with it.

import { acceptSocket, isSocketOffered, type ServerSocket, type SocketHandler } from "../base/socket.ts";
import type { FetchHandler } from "../base/listen.ts";

const INSPECTOR_ORIGIN = "https://stately.ai";
/** A page that has not taken so much is closed; it may be loaded again. */
const MAX_WAITING_BYTES = 8_388_608;

export interface BridgeOptions {
  /** The path of the page, without slashes, and what keeps strangers out. */
  readonly secret: string;
  /** What the machines do; throws what ends it. */
  readonly feed: (signal: AbortSignal) => AsyncIterable<unknown>;
  readonly onProblem: (error: unknown) => void;
}

/** Answers for the page and its feed, and 404 for everything else. */
export function statelyBridge({ secret, feed, onProblem }: BridgeOptions): FetchHandler {
  return (request) => {
    const { pathname, host } = new URL(request.url);
    if (pathname === `/${secret}`) return page(secret);
    const isOwn = request.headers.get("origin") === `http://${host}`;
    if (pathname !== `/${secret}/feed` || !isOwn || !isSocketOffered(request)) {
      return new Response(null, { status: 404 });
    }
    return acceptSocket(request, new Relay(feed, onProblem));
  };
}

class Relay implements SocketHandler {
  readonly #feed: BridgeOptions["feed"];
  readonly #onProblem: BridgeOptions["onProblem"];
  readonly #stop = new AbortController();

  constructor(feed: BridgeOptions["feed"], onProblem: BridgeOptions["onProblem"]) {
    this.#feed = feed;
    this.#onProblem = onProblem;
  }

  opened(socket: ServerSocket): void {
    void this.#run(socket);
  }

  received(): void {}

  closed(): void {
    this.#stop.abort();
  }

  async #run(socket: ServerSocket): Promise<void> {
    try {
      for await (const message of this.#feed(this.#stop.signal)) {
        if (socket.bufferedBytes() > MAX_WAITING_BYTES) break;
        socket.send(JSON.stringify(message));
      }
    } catch (error) {
      this.#onProblem(error);
    }
    socket.close(1001, "the feed has ended");
  }
}

function page(nonce: string): Response {
  const policy =
    `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; ` +
    `frame-src ${INSPECTOR_ORIGIN}; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'`;
  return new Response(htmlOf(nonce), {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "cache-control": "no-store",
      // The address holds the secret.
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}

/** The inspector says once that it listens; what came before waits for it. */
function htmlOf(nonce: string): string {
  return `<!doctype html>
<meta charset="utf-8">
<title>Troupe in Stately's Inspector</title>
<style nonce="${nonce}">html, body, iframe { margin: 0; border: 0; width: 100%; height: 100%; }</style>
<iframe title="Stately Inspector" src="${INSPECTOR_ORIGIN}/inspect"></iframe>
<script nonce="${nonce}">
const frame = document.querySelector("iframe");
const early = [];
let listens = false;
const pass = (message) => frame.contentWindow.postMessage(message, "${INSPECTOR_ORIGIN}");
addEventListener("message", ({ origin, data }) => {
  if (origin !== "${INSPECTOR_ORIGIN}" || data?.type !== "@statelyai.connected") return;
  listens = true;
  for (const message of early.splice(0)) pass(message);
});
const feed = new WebSocket(location.href.replace("http:", "ws:") + "/feed");
feed.onmessage = ({ data }) => (listens ? pass(JSON.parse(data)) : early.push(JSON.parse(data)));
feed.onclose = () => (document.title = "Ended: " + document.title);
</script>
`;
}
