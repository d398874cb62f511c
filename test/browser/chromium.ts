// The browser: Debian's Chromium, driven by playwright-core. Both lie outside of this package, so what is used of them
// is described here, and found when it is asked for.

import { existsSync } from "node:fs";

export interface Locator {
  click(options?: { readonly timeout?: number }): Promise<void>;
  fill(text: string): Promise<void>;
  press(key: string): Promise<void>;
  focus(): Promise<void>;
  count(): Promise<number>;
  first(): Locator;
  nth(index: number): Locator;
  innerText(): Promise<string>;
  textContent(): Promise<string | null>;
  getAttribute(name: string): Promise<string | null>;
  inputValue(): Promise<string>;
  isVisible(): Promise<boolean>;
  isDisabled(): Promise<boolean>;
  waitFor(options?: { readonly state?: "visible" | "hidden"; readonly timeout?: number }): Promise<void>;
}

export interface Page {
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  url(): string;
  title(): Promise<string>;
  locator(selector: string, options?: { readonly hasText?: string | RegExp }): Locator;
  getByRole(role: string, options?: { readonly name?: string | RegExp; readonly exact?: boolean }): Locator;
  getByLabel(name: string | RegExp, options?: { readonly exact?: boolean }): Locator;
  getByText(text: string | RegExp, options?: { readonly exact?: boolean }): Locator;
  waitForURL(url: RegExp, options?: { readonly timeout?: number }): Promise<void>;
  evaluate<T>(script: string): Promise<T>;
  screenshot(options: { readonly path: string; readonly fullPage?: boolean }): Promise<unknown>;
  emulateMedia(options: {
    readonly colorScheme?: "light" | "dark";
    readonly reducedMotion?: "reduce" | "no-preference";
  }): Promise<void>;
  setViewportSize(size: { readonly width: number; readonly height: number }): Promise<void>;
  setDefaultTimeout(ms: number): void;
  context(): BrowserContext;
  readonly keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
  on(event: "console", act: (message: { type(): string; text(): string }) => void): void;
  on(event: "pageerror", act: (error: Error) => void): void;
  on(event: "request", act: (request: { url(): string }) => void): void;
  close(): Promise<void>;
}

/** Chromium's own protocol, for what the driver has no words for. */
export interface CdpSession {
  send<T>(method: string, params?: Readonly<Record<string, unknown>>): Promise<T>;
}

export interface BrowserContext {
  newCDPSession(page: Page): Promise<CdpSession>;
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

export interface Browser {
  newContext(options: {
    readonly viewport: { readonly width: number; readonly height: number };
    readonly bypassCSP?: boolean;
    readonly reducedMotion?: "reduce";
  }): Promise<BrowserContext>;
  contexts(): readonly BrowserContext[];
  version(): string;
  close(): Promise<void>;
}

interface Playwright {
  readonly chromium: {
    launch(options: { readonly executablePath: string; readonly args: readonly string[] }): Promise<Browser>;
  };
}

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];

/** Where the browser is: `CHROMIUM` of the environment, then where Debian puts it; `null` where there is none. */
export function chromiumPath(env: Readonly<Record<string, string | undefined>>): string | null {
  return [env["CHROMIUM"] ?? "", ...PLACES].find((path) => path !== "" && existsSync(path)) ?? null;
}

/** Contract: throws what the browser says when it does not start. */
export async function launchChromium(executablePath: string): Promise<Browser> {
  const specifier = "playwright-core";
  const { chromium } = (await import(specifier)) as Playwright;
  // Tests run as root in containers, where Chromium's own sandbox cannot start; it is shown our own pages only.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** The script of axe-core, to be run in a page. */
export function axeScript(): string {
  return new URL("node_modules/axe-core/axe.min.js", import.meta.url).pathname;
}
