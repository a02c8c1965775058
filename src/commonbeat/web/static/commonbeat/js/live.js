// Live arrival: the stream carries hints only (topic and id); what is shown is asked for again, through the ordinary
// permission check. Nothing that somebody types or has chosen is replaced: only the parts around it are.
const list = document.querySelector("[data-live-list]");
const page = document.querySelector("[data-report]");
const PARTS = ["state", "thread", "history"];
// Hints come in bursts; one question answers them all.
const PAUSE = 400;

async function ask(address) {
  const answer = await fetch(address, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
  return answer.ok && !answer.headers.get("HX-Redirect") ? answer.text() : null;
}

function put(box, html) {
  box.innerHTML = html;
  window.htmx?.process(box);
}

function after(pause, act) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, pause);
  };
}

async function newRows() {
  const html = await ask(list.dataset.liveList);
  if (html !== null) put(document.getElementById("news"), html);
}

async function showRows(event) {
  event.preventDefault();
  const box = document.getElementById("rows");
  const chosen = new Set([...box.querySelectorAll("input[name=report]:checked")].map((one) => one.value));
  const html = await ask(list.dataset.liveRefresh);
  if (html === null) {
    location.assign(list.dataset.liveRefresh);
    return;
  }
  put(box, html);
  for (const one of box.querySelectorAll("input[name=report]")) one.checked = chosen.has(one.value);
  const newest = box.querySelector("[data-newest]")?.dataset.newest;
  if (newest) list.dataset.liveList = list.dataset.liveList.replace(/than=\d*/, `than=${newest}`);
  put(document.getElementById("news"), "");
  box.querySelector("[data-open]")?.focus();
}

async function newParts() {
  for (const part of PARTS) {
    const box = document.getElementById(`part-${part}`);
    // A button that somebody is about to press stays where it is.
    if (!box || box.contains(document.activeElement)) continue;
    const address = new URL(page.dataset.address, location.href);
    address.searchParams.set("part", part);
    const html = await ask(address);
    if (html === null) continue;
    const open = [...box.querySelectorAll("details")].map((one) => one.open);
    put(box, html);
    box.querySelectorAll("details").forEach((one, index) => { one.open = open[index] ?? one.open; });
  }
}

if ((list && !("liveOff" in list.dataset)) || page) {
  const onList = after(PAUSE, newRows);
  const onPage = after(PAUSE, newParts);
  if (list) list.addEventListener("click", (event) => { if (event.target.closest("[data-live-show]")) showRows(event); });
  const stream = new EventSource("/live/desk");
  stream.addEventListener("hint", (event) => {
    const { topic, id, kind } = JSON.parse(event.data);
    if (!["report", "all"].includes(topic) || ["reports.looked", "reports.map_looked", "reports.tightened"].includes(kind)) return;
    if (list) onList();
    if (page && (topic === "all" || String(id) === page.dataset.report)) onPage();
  });
  // The stream connects again by itself and resumes where it was; a page that is left closes it.
  window.addEventListener("pagehide", () => stream.close());
}
