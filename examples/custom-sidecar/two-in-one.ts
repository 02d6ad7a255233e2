import { run } from "@pillion/kit";
import { topz } from "@pillion/topz";
import { heartbeat } from "./heartbeat.ts";

// One process, one admin listener: `/readyz` names both, and topz's page is at `/topz/`.
const url = process.env["BEATS_URL"] ?? "http://127.0.0.1:9191/beats";
await run([topz({ interval: "1s" }), heartbeat({ url, every: "500ms" })]);
