const { build } = require("./build.cjs");
const { install } = require("./dependencies.cjs");
const { findNpm } = require("./npm.cjs");
const { SetupError } = require("./setup-error.cjs");

main().catch((error) => {
  if (!(error instanceof SetupError)) throw error;
  console.error(`setup: ${error.lines.join("\n  ")}`);
  process.exitCode = 1;
});

async function main() {
  const npm = findNpm();
  await install(npm);
  await build(npm);
}
