import { expect, test } from "vitest";
import { helpText, markdownTable } from "./help.ts";
import type { OptionTable } from "./options.ts";
import { runnerTable } from "./runner-options.ts";

const identity = { name: "tls-proxy", version: "1.2.3", description: "HTTPS in front.", adminListen: "127.0.0.1:9181" };
const table: OptionTable = {
  upstream: { type: "url", required: true, help: "Where the app is." },
  listen: { type: "address", default: ":8443", aliases: ["addr"], help: "Where to listen." },
  publish: { type: "choice", choices: ["link", "files"], repeat: true, group: "Work", help: "How." },
  once: { type: "boolean", help: "Only once." },
  token: { type: "secret", help: "Who may." },
  ...runnerTable(identity),
};
const help = helpText(identity, table);

test("help begins with who it is and how it is called", () => {
  expect(help).toMatch(/^tls-proxy 1\.2\.3: HTTPS in front\.\n\nUsage: tls-proxy \[options\]\n/);
  expect(help).toContain("tls-proxy healthcheck");
});

test.each([
  ["--upstream URL", "Where the app is. (TLS_PROXY_UPSTREAM; required)"],
  ["--listen, --addr ADDRESS", "Where to listen. (TLS_PROXY_LISTEN; default :8443)"],
  ["--publish link|files", "How. (TLS_PROXY_PUBLISH; may be repeated)"],
  ["--once", "Only once. (TLS_PROXY_ONCE)"],
  ["--token-file FILE", "Who may. (TLS_PROXY_TOKEN or TLS_PROXY_TOKEN_FILE)"],
])("help tells of %s", (flag, meaning) => expect(help).toContain(`  ${flag}\n      ${meaning}\n`));

test("help and manual name each flag, variable and default of the table", () => {
  const manual = markdownTable(identity, table);
  for (const text of [help, manual]) {
    for (const flag of [
      "admin-listen",
      "health-listen",
      "log-level",
      "log-format",
      "shutdown-timeout",
      "drain-delay",
    ]) {
      expect(text).toContain(`--${flag}`);
      expect(text).toContain(`TLS_PROXY_${flag.toUpperCase().replace("-", "_")}`);
    }
    expect(text).toMatch(/default/);
    for (const standard of ["127.0.0.1:9181", ":8443", "8s", "info", "auto"]) expect(text).toContain(standard);
  }
});

test("options stand under the heading of their group", () => {
  const headings = help.split("\n").filter((line) => /^\w+:$/.test(line));
  expect(headings).toEqual(["Options:", "Work:", "Operation:"]);
  expect(help.indexOf("--publish")).toBeGreaterThan(help.indexOf("Work:"));
});

test("the manual's table has five columns in each row", () => {
  const rows = markdownTable(identity, table).split("\n");
  expect(rows).toHaveLength(2 + Object.keys(table).length);
  for (const row of rows) expect(row.replaceAll("\\|", "").split("|")).toHaveLength(7);
  expect(rows[2]).toBe("| `--upstream` | URL | required | `TLS_PROXY_UPSTREAM` | Where the app is. |");
  expect(rows[4]).toContain("link\\|files");
  expect(rows[6]).toContain("`TLS_PROXY_TOKEN` or `TLS_PROXY_TOKEN_FILE`");
});
