/** Something that a person can mend: what is wrong, what to do, and where to read more, each a line. */
class SetupError extends Error {
  constructor(lines) {
    super(lines.join("\n"));
    this.lines = lines;
  }
}

/** The end of what a program wrote, without the credentials that a URL may hold. */
function lastLines(output, count) {
  return output
    .replace(/:\/\/[^\s/@]*@/g, "://")
    .trim()
    .split("\n")
    .slice(-count);
}

module.exports = { SetupError, lastLines };
