import { scenario } from "../drivers/scenario.ts";
import { type ThirdParty, expectServedThroughSidecars } from "./parts/third-party.ts";

const nginx: ThirdParty = {
  program: "nginx",
  flags: (configuration) => ["-e", "stderr", "-c", configuration],
  signal: "HUP", // nginx(8)
  configuration: ({ port, pages, edition }) => `
    daemon off;
    pid /tmp/nginx.pid;
    events {}
    http {
      access_log off;
      client_body_temp_path /tmp/body;
      proxy_temp_path /tmp/proxy;
      fastcgi_temp_path /tmp/fastcgi;
      uwsgi_temp_path /tmp/uwsgi;
      scgi_temp_path /tmp/scgi;
      server {
        listen 127.0.0.1:${port};
        root ${pages};
        add_header X-Edition ${edition};
      }
    }`,
};

scenario(
  "nginx gets HTTPS, content from git, and a changed configuration by signal",
  { on: ["image", "pod"] },
  (stage) => expectServedThroughSidecars(nginx, stage),
);
