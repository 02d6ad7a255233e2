const { createHash } = require("node:crypto");
const { readFileSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { UNREACHABLE, codeOf, explain } = require("./npm-failure.cjs");
const { MODULES, ROOT } = require("./npm.cjs");
const { whileShowing } = require("./progress.cjs");
const { SetupError } = require("./setup-error.cjs");

const STAMP = path.join(MODULES, ".pillion-setup");
const PATIENCE = ["--fetch-retries=2", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000"];

/** Brings node_modules to what package-lock.json says, unless it is there. */
async function install(npm) {
  const wanted = fingerprint();
  if (installed() === wanted) return;
  const { code, output } = await whileShowing("Installing the dependencies", () => cleanInstall(npm));
  if (code !== 0) throw new SetupError(explain(output));
  writeFileSync(STAMP, wanted);
}

/** One question first: without a network npm would go on asking for minutes, for every package. Its cache may hold them all. */
async function cleanInstall(npm) {
  const ping = await npm("ping", "--loglevel=error", ...PATIENCE);
  const unreachable = UNREACHABLE.test(codeOf(ping.output));
  const source = unreachable ? "--offline" : "--prefer-offline";
  const { code, output } = await npm("ci", "--no-audit", "--no-fund", "--loglevel=error", source, ...PATIENCE);
  return { code, output: unreachable ? ping.output : output };
}

/** What node_modules has to hold; binaries differ by platform, and a directory may be shared by two. */
function fingerprint() {
  const lock = readFileSync(path.join(ROOT, "package-lock.json"));
  return [createHash("sha256").update(lock).digest("hex"), process.platform, process.arch].join(" ");
}

function installed() {
  try {
    return readFileSync(STAMP, "utf8");
  } catch {
    return undefined;
  }
}

module.exports = { install };
