import { join } from "node:path";
import { styleText } from "node:util";
import type { Demo } from "./demo.ts";
import { developmentCa, programNames } from "./programs.ts";

/** What is running, where to click and what to try: commands that can be copied as they are. */
export function welcome({ place, ports, programs }: Demo): string {
  const rows = programNames.map((name) => {
    const { pid, spec } = programs[name];
    return `  ${name.padEnd(14)}${String(pid).padStart(8)}   ${spec.url.padEnd(32)}${spec.purpose}`;
  });
  const replace = (what: string, by: string, file: string) => `sed 's/${what}/${by}/' ${file} > new && mv new ${file}`;
  const trials = [
    [
      "change a page",
      replace("Crane 2", "Crane 3", "website/index.html"),
      "git -C website commit -qam 'Crane 3' && git -C website push -q",
    ],
    ["change the configuration", replace("morning", "evening", "config/app.xml")],
    ["break it, and see it refused", "echo '<oops' >> config/app.xml"],
    ["mend it", "sed '/<oops/d' config/app.xml > new && mv new config/app.xml"],
    ["give the app a value that it dies of", replace('seconds="[0-9a-z]*"', 'seconds="many"', "config/app.xml")],
    ["make it a good one again", replace('seconds="[0-9a-z]*"', 'seconds="5"', "config/app.xml")],
    ["kill a sidecar, or the app", `kill -9 ${programs["tls-proxy"].pid}`, `kill -9 ${programs["legacy-app"].pid}`],
  ];
  return [
    "",
    heading(`${"  An app and four sidecars".padEnd(29)}pid   address`),
    ...rows,
    "",
    heading("Open"),
    `  https://localhost:${ports.https}/   the browser warns of the development CA; it is only for this demo`,
    `  http://127.0.0.1:${ports.topz}/    who does what, live`,
    `  curl --cacert ${developmentCa(place)} https://localhost:${ports.https}/`,
    "",
    heading(`Try, in another terminal`),
    `  cd ${place.directory}`,
    ...trials.flatMap(([what = "", ...commands]) => [
      styleText("dim", `  # ${what}`),
      ...commands.map((command) => `  ${command}`),
    ]),
    `  ${styleText("dim", `# or edit ${join("website", "index.html")} and ${join("config", "app.xml")} as you like`)}`,
    "",
    heading("What happens, as it happens; Ctrl-C stops everything and leaves nothing behind"),
    "",
  ].join("\n");
}

function heading(text: string): string {
  return styleText("bold", text);
}
