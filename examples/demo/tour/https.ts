import { readFile } from "node:fs/promises";
import type { Demo } from "../demo.ts";
import { systemCode } from "@pillion/kit";
import { developmentCa } from "../programs.ts";
import { type Answer, ask } from "../request.ts";
import { type Step, check } from "./step.ts";

const PAGES = ["/", "/style.css", "/icon.svg"];

/** Asks through HTTPS; the certificate has to be for `localhost` and from the development CA. */
export async function askHttps({ place, ports }: Demo, path: string, signal: AbortSignal): Promise<Answer> {
  return await ask(`https://localhost:${ports.https}${path}`, signal, { ca: await readFile(developmentCa(place)) });
}

export const httpsSteps: readonly Step[] = [
  {
    title: "HTTPS answers with a certificate that verifies against the development CA",
    concerns: ["tls-proxy"],
    limit: 10_000,
    async run(demo, signal) {
      const { status } = await askHttps(demo, "/", signal);
      check(status === 200, `the page came with status ${status}`);
    },
  },
  {
    title: "a client that doesn't trust the development CA is told so",
    concerns: ["tls-proxy"],
    limit: 10_000,
    async run({ ports }, signal) {
      const code = await ask(`https://localhost:${ports.https}/`, signal).then(
        () => "none: it was trusted",
        (error: unknown) => systemCode(error) ?? String(error),
      );
      check(
        /^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET_ISSUER_CERT_LOCALLY|VERIFY_LEAF_SIGNATURE))$/.test(code),
        `the error was ${code}`,
      );
    },
  },
  {
    title: "content through HTTPS equals the app's own, byte for byte",
    concerns: ["tls-proxy", "legacy-app"],
    limit: 10_000,
    async run(demo, signal) {
      for (const path of PAGES) {
        const own = await ask(`http://127.0.0.1:${demo.ports.app}${path}`, signal);
        const proxied = await askHttps(demo, path, signal);
        check(own.status === 200 && proxied.status === 200, `${path} came with ${own.status} and ${proxied.status}`);
        check(
          own.body.equals(proxied.body),
          `${path} has ${own.body.length} bytes, through HTTPS ${proxied.body.length}, and they differ`,
        );
      }
    },
  },
];
