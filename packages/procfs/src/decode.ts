const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Names and arguments are bytes; nearly all are UTF-8. What isn't becomes U+FFFD, and a leading byte order mark stays. */
export function decode(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
