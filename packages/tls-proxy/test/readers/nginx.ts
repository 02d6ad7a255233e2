import { type Daemon, type Place, startDaemon } from "../start-daemon.ts";

/** A real nginx, one process as this user, that passes every request on to an app. */
export function startNginx(app: number): Promise<Daemon> {
  return startDaemon(
    "nginx",
    (place) => configuration(place, app),
    (file, { directory }) => ["-p", directory, "-c", file, "-e", "stderr"],
  );
}

const configuration = ({ directory, port }: Place, app: number) => `
  daemon off;
  master_process off;
  pid ${directory}/nginx.pid;
  error_log stderr;
  events {}
  http {
    access_log off;
    client_body_temp_path ${directory}/body;
    proxy_temp_path ${directory}/proxy;
    fastcgi_temp_path ${directory}/fastcgi;
    uwsgi_temp_path ${directory}/uwsgi;
    scgi_temp_path ${directory}/scgi;
    client_max_body_size 0;
    large_client_header_buffers 8 32k;
    server {
      listen 127.0.0.1:${port};
      location / {
        proxy_pass http://127.0.0.1:${app};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
      }
    }
  }
`;
