/** Codes of an attempt to connect that says that the app isn't there; others are those of one that is, and of machines. */
export const CANNOT_CONNECT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
]);
