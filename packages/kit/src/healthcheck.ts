import { connect } from "node:net";
import { type Address, parseAddress, reachable } from "./address.ts";

const TIMEOUT = 3_000;
/** Among arguments that each begin with NUL. */
const FLAG = /\0--?admin-listen[=\0]([^\0]+)/g;

/**
 * Asks a running sidecar's own `/readyz` and exits 0 when it is ready, else 1. It is run every few seconds, so it
 * loads nothing but a socket. The address comes from `--admin-listen`, the sidecar's variable, or its default.
 */
export function probe(name: string, adminListen: string): void {
  const variable = `${name.replaceAll("-", "_").toUpperCase()}_ADMIN_LISTEN`;
  // A command of its own in the images, `healthcheck` of the sidecar's elsewhere.
  const first = process.argv[2] === "healthcheck" ? 3 : 2;
  const given = process.argv
    .slice(first)
    .map((argument) => `\0${argument}`)
    .join("");
  const flags = [...given.matchAll(FLAG)];
  const [unknown] = given.replaceAll(FLAG, "").split("\0").filter(Boolean);
  const text = flags.at(-1)?.[1] ?? (process.env[variable] || adminListen);
  const end = (code: number, words: string) => {
    process.stdout.write(`${words.trim()}\n`);
    process.exit(code);
  };
  if (unknown)
    return end(
      1,
      `${name} healthcheck: ${unknown} is nothing it takes, which is --admin-listen ADDRESS, or ${variable}`,
    );
  const address = addressIn(text);
  if (!address) return end(1, `${name} healthcheck: ${text} is not an address, which is host:port or unix:/path`);
  const socket = connect(address);
  let answer = "";
  socket.setTimeout(TIMEOUT, () => end(1, `${name} healthcheck: ${text} gave no answer within ${TIMEOUT} ms`));
  socket.on("error", (error) =>
    end(
      1,
      `${name} healthcheck: nothing answers on ${text} (${error.message}); where it listens elsewhere, set ${variable}`,
    ),
  );
  socket.on("data", (bytes) => (answer += bytes.toString("latin1")));
  socket.on("end", () => end(answer.startsWith("HTTP/1.1 200 ") ? 0 : 1, answer.slice(answer.indexOf("\r\n\r\n") + 4)));
  socket.write("GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}

function addressIn(text: string): Address | undefined {
  try {
    return reachable(parseAddress(text));
  } catch {
    return undefined;
  }
}
