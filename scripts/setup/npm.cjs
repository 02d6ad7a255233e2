const { spawn } = require("node:child_process");
const { readFileSync, realpathSync } = require("node:fs");
const path = require("node:path");
const { SetupError } = require("./setup-error.cjs");

const ROOT = path.join(__dirname, "..", "..");
const MODULES = path.join(ROOT, "node_modules");

// npm 9 would install as well. But after the set-up npm itself runs on the Node of node_modules, and there npm before 9.8 exits
// with 0 when a script has failed: tests that fail would look fine.
const OLDEST_NPM = 10;

/**
 * Finds npm: the one that runs us, else the one beside this Node, else the first on the PATH.
 *
 * @returns a function that runs it without a shell and gives its exit code and everything it wrote
 */
function findNpm() {
  const script = candidates().map(realFile).find(isNpm);
  if (!script) {
    throw new SetupError([
      `npm was not found, neither beside ${process.execPath} nor on the PATH.`,
      "It comes with Node from https://nodejs.org/: install that, and run the same command again.",
    ]);
  }
  const { version } = JSON.parse(readFileSync(path.join(script, "..", "..", "package.json"), "utf8"));
  if (Number.parseInt(version, 10) < OLDEST_NPM) {
    throw new SetupError([
      `this is npm ${version}, and the set-up needs npm ${OLDEST_NPM} or later.`,
      `Run npm install --global npm@${OLDEST_NPM}, or install a current Node from https://nodejs.org/, and run the same command again.`,
    ]);
  }
  return (...args) => run(script, args);
}

function candidates() {
  const running = process.env.npm_execpath;
  const onPath = (process.env.PATH ?? process.env.Path ?? "").split(path.delimiter).filter(Boolean);
  const beside = [path.dirname(process.execPath), ...onPath].flatMap((directory) => [
    path.join(directory, "npm"),
    path.join(directory, "node_modules", "npm", "bin", "npm-cli.js"),
    path.join(directory, "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"),
  ]);
  return [running, ...beside];
}

function realFile(file) {
  try {
    return file && realpathSync(file); // realpath takes "" for the working directory
  } catch {
    return undefined;
  }
}

function isNpm(file) {
  return file && path.basename(file) === "npm-cli.js";
}

function run(script, args) {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", NO_COLOR: "1" };
  const child = spawn(runtime(), [script, ...args], { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** Not the Node in node_modules, which npm may be about to replace. */
function runtime() {
  const ofNpm = realFile(process.env.npm_node_execpath);
  return ofNpm && !ofNpm.startsWith(MODULES) ? ofNpm : process.execPath;
}

module.exports = { MODULES, ROOT, findNpm };
