const REDACTED = "[redacted]";
/** RFC 3986 §3.2.1: what stands between `//` and `@` of a URL. */
const userInformation = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]*@/gi;
const secretParameter = /([?&;](?:access_token|api_key|apikey|auth|key|pass|password|secret|sig|signature|token)=)[^&#\s]*/gi;

/** Takes the credentials out of every URL in a text: its user information and parameters that are named like secrets. */
export function redact(text: string): string {
  return text.replace(userInformation, `$1${REDACTED}@`).replace(secretParameter, `$1${REDACTED}`);
}
