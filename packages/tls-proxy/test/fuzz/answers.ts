import fc from "fast-check";
import { mutated } from "./mutations.ts";
import { TOKEN } from "./traffic.ts";

const OK = "HTTP/1.1 200 OK\r\n";

const TEMPLATES = [
  `${OK}Content-Length: 18\r\nX-Odd: ${TOKEN}\r\n\r\n${TOKEN}`,
  `${OK}Content-Length: 18\r\nConnection: close, X-Odd\r\nX-Odd: ${TOKEN}\r\n\r\n${TOKEN}`,
  `${OK}Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n12;a=b\r\n${TOKEN}\r\n12\r\n${TOKEN}\r\n0\r\nX-T: ${TOKEN}\r\n\r\n`,
  `${OK}Server: ${TOKEN}\r\n\r\n${TOKEN}`,
  `HTTP/1.0 200 OK\r\n\r\n${TOKEN}`,
  `HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 18\n\n${TOKEN}`,
  `HTTP/1.1 103 Early Hints\r\nLink: <${TOKEN}>\r\n\r\n${OK}Content-Length: 18\r\n\r\n${TOKEN}`,
  `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 18\r\n\r\n${TOKEN}`,
  `HTTP/1.1 204 No Content\r\nX-Odd: ${TOKEN}\r\n\r\n`,
  `HTTP/1.1 304 Not Modified\r\nETag: "${TOKEN}"\r\nContent-Length: 18\r\n\r\n`,
  `HTTP/1.1 302 Found\r\nLocation: http://app/${TOKEN}\r\nSet-Cookie: a=${TOKEN}\r\nContent-Length: 0\r\n\r\n`,
  `${OK}Content-Length: 40000\r\n\r\n${TOKEN.padEnd(40_000, "x")}`,
];

/** What an app says to one request, latin1: an answer, or what damage made of it. */
export const damagedAnswer: fc.Arbitrary<string> = mutated(fc.constantFrom(...TEMPLATES));
