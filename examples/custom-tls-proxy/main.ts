import { run } from "@pillion/kit";
import { bannerProxy } from "./banner.ts";

// All options of tls-proxy: main.ts --app-port 8080
await run(bannerProxy);
