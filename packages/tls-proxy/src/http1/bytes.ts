/** Octets that the grammar of HTTP/1.1 names, and tables that say what each octet may be part of. */
export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;

const TCHAR = /[!#$%&'*+.^_`|~0-9A-Za-z-]/;

/**
 * `tchar` (RFC 9110 §5.6.2) in lower case, with `_` as `-`; 0 for every other octet. CGI and WSGI give `X_Real_IP` and
 * `X-Real-IP` to the app as one variable, so whoever compares names here sees one name.
 */
export const NAME = table((_octet, char) =>
  TCHAR.test(char) ? (char === "_" ? "-" : char.toLowerCase()).charCodeAt(0) : 0,
);

/** What may stand in a field's value: `field-vchar`, space, tab (RFC 9110 §5.5). No other control characters. */
export const VALUE = table((octet) => Number(octet === TAB || (octet >= SPACE && octet !== 0x7f)));

/** What may stand in a request target: visible ASCII but `#`. Anything else must have been percent-encoded (RFC 3986 §2). */
export const TARGET = table((octet, char) => Number(octet > SPACE && octet < 0x7f && char !== "#"));

/** The value of a hexadecimal digit plus one; 0 for every other octet. */
export const HEX = table((_octet, char) => (/[0-9A-Fa-f]/.test(char) ? Number.parseInt(char, 16) + 1 : 0));

export const isDigit = (octet: number | undefined): boolean => octet !== undefined && octet >= 0x30 && octet <= 0x39;

function table(value: (octet: number, char: string) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) => value(octet, String.fromCharCode(octet)));
}

/** Whether `bytes[start, end)` is this text, in any case. @param text lower case */
export function equalsText(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let index = 0; index < text.length; index++)
    if (lowerCase(bytes[start + index] ?? 0) !== text.charCodeAt(index)) return false;
  return true;
}

const lowerCase = (octet: number): number => (octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet);
