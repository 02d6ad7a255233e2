/** The page's style sheet: the system's colours, light or dark; narrow screens show fewer columns. */
export const style = `
:root { color-scheme: light dark; --line: light-dark(#d8dde3, #333b45); --dim: light-dark(#55606d, #98a4b3);
  --back: light-dark(#fff, #14181d); --text: light-dark(#161b22, #e6eaf0); --bar: light-dark(#cfe3ff, #1d3d66);
  --accent: light-dark(#0b57d0, #8ab8ff); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 14px/1.45 system-ui, sans-serif; }
header { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center;
  padding: .6rem 1rem; background: var(--back); border-bottom: 1px solid var(--line); }
h1 { margin: 0; font-size: 1.1rem; }
#status { flex: 1 1 16rem; margin: 0; color: var(--dim); font-variant-numeric: tabular-nums; }
#status.stale { color: light-dark(#b3261e, #ff8a80); }
input, header button { font: inherit; color: inherit; background: transparent; border: 1px solid var(--dim);
  border-radius: 6px; padding: .25rem .6rem; }
input { width: 13rem; max-width: 60vw; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
main { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .2rem .6rem; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--line); }
th button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: .2rem 0; cursor: pointer; }
th[aria-sort] button { color: var(--accent); }
th[aria-sort=descending] button::after { content: " ↓"; }
th[aria-sort=ascending] button::after { content: " ↑"; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td:last-child { width: 100%; max-width: 0; overflow: hidden; text-overflow: ellipsis; font-family: ui-monospace, monospace; font-size: 12px; }
tbody tr:hover { background: light-dark(#f3f6fa, #1b2129); }
.busy { background: var(--bar); }
noscript { display: block; padding: 1rem; }
@media (max-width: 640px) {
  .wide { display: none; }
  td:nth-child(7) { width: 100%; }
}
`;
