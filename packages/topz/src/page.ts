import { createHash } from "node:crypto";
import { script } from "./page-script.ts";
import { style } from "./page-style.ts";

const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Nothing but the page's own script and style runs: names and command lines are other people's text. */
export const pagePolicy = [
  "default-src 'none'",
  "connect-src 'self'",
  `script-src ${hash(script)}`,
  `style-src ${hash(style)}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** @param interval milliseconds between two refreshes */
export function page(interval: number): string {
  return `<!doctype html>
<html lang="en" data-interval="${interval}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>topz</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header>
  <h1>topz</h1>
  <p id="status" role="status">Waiting for the first sample…</p>
  <label>Filter <input id="filter" type="search" placeholder="name or command" autocomplete="off"></label>
  <button id="pause" type="button" aria-pressed="false">Pause</button>
</header>
<main>
<table>
  <thead><tr>
    <th scope="col" class="number"><button type="button" data-sort="pid">PID</button></th>
    <th scope="col" class="number"><button type="button" data-sort="cpuPercent">CPU&nbsp;%</button></th>
    <th scope="col" class="number"><button type="button" data-sort="memoryPercent">MEM&nbsp;%</button></th>
    <th scope="col" class="number wide"><button type="button" data-sort="residentBytes">Resident</button></th>
    <th scope="col" class="number wide"><button type="button" data-sort="threads">Threads</button></th>
    <th scope="col" class="wide"><button type="button" data-sort="state">State</button></th>
    <th scope="col"><button type="button" data-sort="name">Name</button></th>
    <th scope="col" class="wide"><button type="button" data-sort="commandLine">Command</button></th>
  </tr></thead>
  <tbody id="rows"></tbody>
</table>
</main>
<noscript>This page needs JavaScript. <a href="topz?header=1">The plain text</a> doesn't.</noscript>
<script>${script}</script>
</body>
</html>
`;
}
