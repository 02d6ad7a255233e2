import { scenario } from "../drivers/scenario.ts";
import { type ThirdParty, expectServedThroughSidecars } from "./parts/third-party.ts";

const lighttpd: ThirdParty = {
  program: "lighttpd",
  flags: (configuration) => ["-D", "-f", configuration],
  signal: "USR1", // doc/initscripts.txt of lighttpd: SIGHUP only opens the logs again
  configuration: ({ port, pages, edition }) => `
    server.bind = "127.0.0.1"
    server.port = ${port}
    server.document-root = "${pages}"
    server.modules = ("mod_setenv")
    setenv.add-response-header = ("X-Edition" => "${edition}")
    mimetype.assign = (".css" => "text/css", ".txt" => "text/plain")`,
};

scenario(
  "lighttpd gets HTTPS, content from git, and a changed configuration by signal",
  { on: ["image", "pod"] },
  (stage) => expectServedThroughSidecars(lighttpd, stage),
);
