/** How long a connection that is ended from here may wait for its client's end (RFC 9112 §9.6), milliseconds. */
export const LINGER = 5_000;
