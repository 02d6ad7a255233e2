"use strict";
// Makes a fresh clone ready: dependencies as package-lock.json says, then the build. It runs on the machine's own Node, so that
// even a very old one has to understand this file: ES5 only. A call of several lines would get a comma that ES5 doesn't know.

// npm 10 runs on Node 18.17 and later; after the set-up everything runs on the npm package `node`.
var OLDEST_NODE = 18;
var version = process.versions.node;
var tooOld = [
  "setup: this is Node " + version + ", and the set-up needs Node " + OLDEST_NODE + " or later, with its npm.",
  "  Install a current Node from https://nodejs.org/ or with a version manager, and run the same command again.",
];

if (parseInt(version, 10) < OLDEST_NODE) {
  console.error(tooOld.join("\n"));
  process.exit(1);
} else {
  require("./setup/main.cjs");
}
