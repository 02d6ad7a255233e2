import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type TLSSocket, connect } from "node:tls";

const [port, certificate = ""] = process.argv.slice(2);
const ca = readFileSync(certificate);
const TIMEOUT = 10_000;
const HEAD_END = "\r\n\r\n";

/** @throws when the certificate isn't the bench's, or there is no handshake */
export async function open(session?: Buffer): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port: Number(port), ca, servername: "localhost", session });
  await once(socket, "secureConnect", { signal: AbortSignal.timeout(TIMEOUT) });
  return socket;
}

/** Asks for 1 KiB and waits for all of it. @throws when the answer is another */
export async function ask(socket: TLSSocket): Promise<void> {
  let answer = "";
  const take = (chunk: Buffer) => (answer += chunk.toString("latin1"));
  socket.on("data", take);
  socket.write("GET /1k HTTP/1.1\r\nHost: localhost\r\n\r\n");
  while (answer.length < answer.indexOf(HEAD_END) + HEAD_END.length + 1024 || !answer.includes(HEAD_END)) {
    await once(socket, "data", { signal: AbortSignal.timeout(TIMEOUT) });
  }
  socket.off("data", take);
  if (!answer.startsWith("HTTP/1.1 200 ") || !answer.endsWith(HEAD_END + "k".repeat(1024)))
    throw new Error(`another answer: ${answer.slice(0, 100)}`);
}
