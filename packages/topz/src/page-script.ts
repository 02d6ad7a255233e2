/** The page's script: asks for all processes every interval and shows them. Everything is set as text, never as markup. */
export const script = `
const interval = Number(document.documentElement.dataset.interval);
const $ = (id) => document.getElementById(id);
const columns = ["pid", "cpuPercent", "memoryPercent", "residentBytes", "threads", "state", "name", "commandLine"];
const wide = new Set(["residentBytes", "threads", "state", "commandLine"]);
const order = { key: "cpuPercent", descending: true };
let snapshot, paused = false;

const bytes = (value) => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = value > 0 ? Math.min(4, Math.floor(Math.log2(value) / 10)) : 0;
  return (value / 1024 ** power).toFixed(power > 1 ? 1 : 0) + " " + units[power];
};
const shown = (key, value) => value === null ? "–" : key === "residentBytes" ? bytes(value)
  : key.endsWith("Percent") ? value.toFixed(1) : String(value);

const compare = (a, b) => {
  const [x, y] = [a[order.key], b[order.key]];
  const by = typeof x === "string" ? x.localeCompare(y) : (x ?? -1) - (y ?? -1);
  return (order.descending ? -by : by) || a.pid - b.pid;
};

function draw() {
  if (!snapshot) return;
  const words = $("filter").value.toLowerCase();
  const rows = snapshot.processes
    .filter((row) => (row.name + " " + row.commandLine + " " + row.pid).toLowerCase().includes(words))
    .sort(compare);
  const body = $("rows");
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((row, index) => {
    const line = body.rows[index] ?? newRow(body);
    columns.forEach((key, column) => {
      const text = shown(key, row[key]);
      const cell = line.cells[column];
      if (cell.textContent !== text) cell.textContent = text;
    });
    line.cells[1].classList.toggle("busy", row.cpuPercent >= 10);
    line.cells[7].title = row.commandLine;
  });
  const cpu = snapshot.processes.reduce((sum, row) => sum + (row.cpuPercent ?? 0), 0);
  say(rows.length + " of " + snapshot.total + " processes · CPU " + cpu.toFixed(0) + " % of a core · "
    + new Date(snapshot.takenAt).toLocaleTimeString()
    + (snapshot.total === 1 ? " · only topz itself: its PID namespace isn't shared with an app" : ""));
}

function newRow(body) {
  const line = body.insertRow();
  for (const key of columns) {
    const cell = line.insertCell();
    if (["pid", "cpuPercent", "memoryPercent", "residentBytes", "threads"].includes(key)) cell.classList.add("number");
    if (wide.has(key)) cell.classList.add("wide");
  }
  return line;
}

function say(text, stale = false) {
  $("status").textContent = text;
  $("status").classList.toggle("stale", stale);
}

async function refresh() {
  try {
    const answer = await fetch("api/v1/processes");
    if (!answer.ok) throw new Error(await answer.text());
    snapshot = await answer.json();
    draw();
  } catch (error) {
    say("No answer from topz (" + error.message.trim() + "); trying again…", true);
  }
}

for (const button of document.querySelectorAll("[data-sort]")) {
  button.addEventListener("click", () => {
    const key = button.dataset.sort;
    order.descending = order.key === key ? !order.descending : !["pid", "name", "state", "commandLine"].includes(key);
    order.key = key;
    mark();
    draw();
  });
}
function mark() {
  for (const button of document.querySelectorAll("[data-sort]")) {
    const heading = button.closest("th");
    if (button.dataset.sort === order.key) heading.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
    else heading.removeAttribute("aria-sort");
  }
}
$("filter").addEventListener("input", draw);
$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", paused);
  $("pause").textContent = paused ? "Resume" : "Pause";
  if (!paused) refresh();
});
mark();
refresh();
setInterval(() => { if (!paused && !document.hidden) refresh(); }, interval);
`;
