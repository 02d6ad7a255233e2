import { execFile } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TLSSocket, connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Spawned, spawnScript, startSidecar } from "@pillion/kit/testing";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { tlsProxy } from "../src/index.ts";
import { startEchoApp } from "./start-tcp.ts";
import { OK, startRawApp } from "./raw-app.ts";
import { type RawClient, connectTo } from "./start-proxy.ts";

const run = promisify(execFile);
const bin = fileURLToPath(new URL("../bin/tls-proxy.js", import.meta.url));

let stateDir: string;
beforeEach(async () => void (stateDir = await mkdtemp(join(tmpdir(), "tls-proxy-workers-"))));
afterEach(() => rm(stateDir, { recursive: true }));
