const { whileShowing } = require("./progress.cjs");
const { SetupError, lastLines } = require("./setup-error.cjs");

/** Builds the packages; what is built already is taken from the cache. */
async function build(npm) {
  const { code, output } = await whileShowing("Building", () =>
    npm("run", "--silent", "build", "--", "--output-logs=errors-only"),
  );
  if (code !== 0) throw new SetupError(["the build has failed:", ...lastLines(output, 60)]);
}

module.exports = { build };
