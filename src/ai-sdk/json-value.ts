/** JSON as the AI SDK types it: with fields that may be undefined. */
export type JSONValue =
  | null
  | string
  | number
  | boolean
  | Readonly<{ [key: string]: JSONValue | undefined }>
  | readonly JSONValue[];
