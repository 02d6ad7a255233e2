/** `wrong-answer.ts PORT PEM`: a server whose answers have the right length and the wrong content. */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const [port, pem = ""] = process.argv.slice(2);
const identity = readFileSync(pem);
createServer({ key: identity, cert: identity }, (_, answer) => answer.end("x".repeat(1024))).listen(
  Number(port),
  "127.0.0.1",
);
