import { type Daemon, startDaemon } from "./start-daemon.ts";

/** A real HAProxy with one listener; `sections` gets its port and says what it does. */
export function startHaproxy(sections: (port: number) => string): Promise<Daemon> {
  const defaults = "defaults\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n";
  return startDaemon(
    "haproxy",
    ({ port }) => `${defaults}${sections(port)}\n`,
    (file) => ["-db", "-f", file],
  );
}
