// How a secret can be written, said once more and otherwise than `redact.ts` does, so that both would have to be wrong.

/** Every way in which a canary is looked for. */
export function formsOf(secret: string): Readonly<Record<string, string>> {
  const bytes = Buffer.from(secret, "utf8");
  const base64 = (before: number): string => {
    const whole = Buffer.concat([Buffer.from("\0".repeat(before)), bytes, Buffer.from("\0\0\0")]).toString(
      "base64",
    );
    // Without the characters that neighbours have a part in.
    return whole.slice(before === 0 ? 0 : before + 1, Math.floor(((before + bytes.length) * 4) / 3));
  };
  return {
    plain: secret,
    "base64 at 0": base64(0),
    "base64 at 1": base64(1),
    "base64 at 2": base64(2),
    base64url: base64(0).replaceAll("+", "-").replaceAll("/", "_"),
    url: encodeURIComponent(secret),
    hex: bytes.toString("hex"),
    "upper hex": bytes.toString("hex").toUpperCase(),
    "json escaped": secret.replaceAll("/", String.raw`\/`),
  };
}

/** The forms that stand in a text, as `name: form`. */
export function formsIn(text: string, secrets: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(formsOf(secret)).flatMap(([form, written]) =>
      text.includes(written) ? [`${name}: ${form}`] : [],
    ),
  );
}
