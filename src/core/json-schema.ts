// The one word for a JSON Schema; what reads it stands in toolsets/ and providers/.

/** A JSON Schema document (draft 2020-12); validated where it is used. */
export type JsonSchema = Readonly<Record<string, unknown>>;
