/** Why a request is answered here and never reaches the app. */
export interface Refusal {
  /** 400, 413, 414, 417, 431, 501 or 505. */
  readonly status: number;
  /** A clause for a person, of fixed words. */
  readonly reason: string;
}

export const badRequest = (reason: string): Refusal => ({ status: 400, reason });

/** The longest head of a request, octets. */
export const MAX_HEAD: number = 32 * 1024;
export const HEAD_TOO_LONG: Refusal = { status: 431, reason: "the request's head is longer than 32 KiB" };

/** @param most octets */
export const bodyTooLong = (most: number): Refusal => ({
  status: 413,
  reason: `its body is longer than ${most} bytes`,
});
