import fc from "fast-check";
import { message } from "../readers/messages.ts";
import { mutated } from "./mutations.ts";

/** Stands in traffic for what tells one client from another. As long as what it is replaced by. */
export const TOKEN = "T----------------T";

const TEMPLATES = [
  `GET /${TOKEN}?a=b HTTP/1.1\r\nHost: app\r\nX-Odd: ${TOKEN}\r\n\r\n`,
  `HEAD /${TOKEN} HTTP/1.1\r\nHost: app\r\n\r\n`,
  `GET http://app/${TOKEN} HTTP/1.0\r\n\r\n`,
  `POST /${TOKEN} HTTP/1.1\r\nHost: app\r\nContent-Length: 36\r\n\r\n${TOKEN}${TOKEN}`,
  `POST /${TOKEN} HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n12;a=b\r\n${TOKEN}\r\n24\r\n${TOKEN}${TOKEN}\r\n0\r\nX-T: ${TOKEN}\r\n\r\n`,
  `PUT /${TOKEN} HTTP/1.1\r\nHost: app\r\nExpect: 100-continue\r\nContent-Length: 18\r\n\r\n${TOKEN}`,
  `GET /${TOKEN} HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x12${TOKEN}`,
  `POST /${TOKEN} HTTP/1.1\r\nHost: app\r\nContent-Length: 20000\r\nConnection: close, X-Odd\r\nX-Odd: ${TOKEN}\r\n\r\n${TOKEN.padEnd(20_000, "x")}`,
];

const request = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...TEMPLATES) },
  { weight: 1, arbitrary: message.map(({ text }) => text.replace(" /", ` /${TOKEN}/`)) },
);

const conversation = fc.array(request, { minLength: 1, maxLength: 4 }).map((requests) => requests.join(""));

/** What one client does. */
export interface Case {
  /** latin1 */
  readonly bytes: string;
  /** Into how many pieces it is cut. */
  readonly pieces: number;
  /** How the client leaves once nothing more comes. */
  readonly leaves: "end" | "reset";
}

const caseOf = (bytes: fc.Arbitrary<string>): fc.Arbitrary<Case> =>
  fc.record({ bytes, pieces: fc.integer({ min: 1, max: 5 }), leaves: fc.constantFrom("end", "end", "reset") });

/** HTTP/1.1 within TLS. */
export const httpCase = caseOf(mutated(conversation));

const record = fc
  .tuple(fc.constantFrom(20, 21, 22, 23, 24, 128), fc.constantFrom(0, 1, 3, 4), fc.nat(20_000), fc.uint8Array())
  .map(([type, version, length, content]) =>
    Buffer.from([type, 3, version, length >> 8, length & 0xff, ...content]).toString("latin1"),
  );

/** In place of a handshake. @param clientHello a real one */
export const handshakeCase = (clientHello: string): fc.Arbitrary<Case> =>
  caseOf(
    fc.oneof(
      { weight: 3, arbitrary: mutated(fc.constant(clientHello)) },
      { weight: 1, arbitrary: fc.array(record, { minLength: 1, maxLength: 4 }).map((records) => records.join("")) },
      { weight: 1, arbitrary: fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes).toString("latin1")) },
      { weight: 1, arbitrary: conversation },
      { weight: 1, arbitrary: fc.constant("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n").map((line) => line + clientHello) },
    ),
  );
