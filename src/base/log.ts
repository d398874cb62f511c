// The diagnostic log: what a person reads when something is odd. Never data (that is events), never a secret.

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A logger that hands finished lines (no newline) to `write`; fields follow as `key=json`. */
export function lineLogger(write: (line: string) => void, level: LogLevel = "info"): Logger {
  const at =
    (word: LogLevel) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (ORDER[word] < ORDER[level]) return;
      const tail = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
      write(`${word}: ${message}${tail.join("")}`);
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Says nothing. */
export const silentLogger: Logger = lineLogger(() => {}, "error");
