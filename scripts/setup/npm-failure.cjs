const { lastLines } = require("./setup-error.cjs");

const UNREACHABLE =
  /^(ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EIDLETIMEOUT|ERR_SOCKET_TIMEOUT|FETCH_ERROR)$/;

/** npm's error codes: what each means, and what to do about it. */
const REASONS = [
  {
    codes: UNREACHABLE,
    reason: "the npm registry can't be reached",
    remedy:
      "Check the network. Behind a proxy: npm config set proxy URL. With a registry of your own: npm config set registry URL.",
  },
  {
    codes: /CERT|SSL|SIGNATURE|EPROTO/,
    reason: "the npm registry's certificate is not trusted",
    remedy: "Where a proxy replaces certificates, name its CA: npm config set cafile FILE.",
  },
  {
    codes: /^(E401|E403|ENEEDAUTH)$/,
    reason: "the npm registry refuses access",
    remedy: "Log in with npm login, or choose another registry: npm config set registry URL.",
  },
  {
    codes: /^(E404|ETARGET)$/,
    reason: "the npm registry doesn't have a version that package-lock.json names",
    remedy: "Choose a complete registry: npm config set registry URL.",
  },
  { codes: /^E5\d\d$/, reason: "the npm registry has an error", remedy: "Wait a while." },
  {
    codes: /^EINTEGRITY$/,
    reason: "a download is not what package-lock.json says",
    remedy: "Run npm cache clean --force; if it stays, the registry serves other files than it should.",
  },
  {
    codes: /^(EACCES|EPERM|EROFS)$/,
    reason: "a file or directory may not be written",
    remedy: "Use a clone that belongs to this user; npm's cache (npm config get cache) has to, too.",
  },
  { codes: /^ENOSPC$/, reason: "the disk is full", remedy: "Make room: about 500 MB." },
  {
    codes: /^EUSAGE$/,
    reason: "package.json and package-lock.json don't fit together",
    remedy: "Take both from one commit, or run npm install where package.json was changed on purpose.",
  },
];

/** The code in what npm wrote, such as ENOTFOUND. */
function codeOf(output) {
  return /^npm (?:error|ERR!) code (\S+)/m.exec(output)?.[1] ?? "";
}

/** npm's failure as lines for a person: no stack, no credentials, and where its log is. */
function explain(output) {
  const code = codeOf(output);
  const known = REASONS.find(({ codes }) => codes.test(code));
  const log = /complete log of this run can be found in:?\s*(?:npm (?:error|ERR!)\s+)?(.+)/.exec(output)?.[1];
  const why = known
    ? [
        `the dependencies could not be installed: ${known.reason} (${[code, hostIn(output)].filter(Boolean).join(", ")}).`,
        `${known.remedy} Then run the same command again.`,
      ]
    : ["the dependencies could not be installed. npm says:", ...lastLines(output, 12)];
  return log ? [...why, `npm's log: ${log.trim()}`] : why;
}

function hostIn(output) {
  return /https?:\/\/(?:[^\s/@]*@)?([^\s/:]+)/.exec(output.replace(/https:\/\/docs\.npmjs\.com\S*/g, ""))?.[1];
}

module.exports = { UNREACHABLE, codeOf, explain };
