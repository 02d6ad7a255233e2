const REDACTED = "[redacted]";
/** RFC 3986 §3.2.1: what stands between `//` and the last `@` before the path. */
const userInformation = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"]*@/gi;
const secretName =
  "(?:[\\w.-]{0,40}(?:credential|password|passwd|pwd|secret|signature|token)|(?:[\\w.-]{0,40}[-_.])?(?:api)?key|auth|pass|sig)";
const secretParameter = new RegExp(`([?&;]${secretName}=)[^&#\\s"']*`, "gi");

/** Takes the credentials out of every URL in a text: its user information and parameters that are named like secrets. */
export function redact(text: string): string {
  return text.replace(userInformation, `$1${REDACTED}@`).replace(secretParameter, `$1${REDACTED}`);
}
