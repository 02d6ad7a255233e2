/** Says what is being done once it takes more than a second, and how long it took. */
async function whileShowing(what, work) {
  const { stdout } = process;
  const begun = Date.now();
  const seconds = () => Math.round((Date.now() - begun) / 1000);
  let said = false;
  const timer = setInterval(() => {
    if (stdout.isTTY) stdout.write(`\r${what} … ${seconds()} s`);
    else if (!said) stdout.write(`${what} …\n`);
    said = true;
  }, 1000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (said) stdout.write(`${stdout.isTTY ? "\r\u001B[K" : ""}${what} took ${seconds()} s.\n`);
  }
}

module.exports = { whileShowing };
