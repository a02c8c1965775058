// "Alerts near me": the device asks for all alerts, or for those of a district some 40 km across, and finds out itself
// which are near. Where it is stays here: it goes into no address and no request, and is forgotten with the page.
import { cellsAround, nearest } from "./near_geometry.js";

const box = document.querySelector("[data-near]");
const button = box.querySelector("button");
const status = box.querySelector("[role=status]");
const list = document.querySelector("[data-near-list]");
const language = document.documentElement.lang;
const kinds = JSON.parse(document.querySelector("[data-near-kinds]").dataset.nearKinds);
const texts = box.dataset;

async function read(address) {
  const answer = await fetch(address, { credentials: "omit", referrerPolicy: "no-referrer" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function around(point, metres) {
  const told = await read("/live/alerts.json");
  const names = told.cells ? cellsAround(told.cells, point, metres) : [];
  const parts = await Promise.all(names.map((name) => read(`/live/alerts/${name}.json`)));
  return nearest([told, ...parts].flatMap(({ alerts }) => alerts), point, metres, Date.now());
}

function position() {
  return new Promise((resolve, reject) => {
    navigator.geolocation.getCurrentPosition(({ coords }) => resolve([coords.latitude, coords.longitude]), reject, { enableHighAccuracy: false, timeout: 20_000, maximumAge: 60_000 });
  });
}

function distance(metres) {
  if (metres === 0) return texts.textHere;
  const unit = metres < 950 ? "meter" : "kilometer";
  const number = metres < 950 ? Math.max(50, Math.round(metres / 50) * 50) : Math.round(metres / 100) / 10;
  return texts.textAway.replace("{distance}", new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(number));
}

function said(words) {
  const chosen = [language, ...Object.keys(words)].find((each) => words[each]);
  return [words[chosen] || "", chosen || ""];
}

function row(alert) {
  const [headline, lang] = said(alert.headline);
  const [place] = said(alert.place);
  const link = Object.assign(document.createElement("a"), { className: "report-row", href: alert.url });
  const body = Object.assign(document.createElement("span"), { className: "report-body" });
  const title = Object.assign(document.createElement("span"), { className: "report-title", dir: "auto", lang, textContent: headline });
  if (alert.status !== "Actual") title.prepend(`${texts.textTest}: `);
  const meta = Object.assign(document.createElement("span"), { className: "meta" });
  for (const part of [distance(alert.away), kinds[alert.kind], place]) if (part) meta.append(Object.assign(document.createElement("span"), { dir: "auto", textContent: part }));
  body.append(title, meta);
  link.append(body);
  const item = document.createElement("li");
  item.append(link);
  return item;
}

async function look() {
  button.disabled = true;
  status.textContent = texts.textLooking;
  list.replaceChildren();
  try {
    const found = await around(await position(), Number(box.querySelector("select").value));
    list.append(...found.map(row));
    status.textContent = found.length ? "" : texts.textNone;
  } catch (error) {
    status.textContent = error.code ? texts.textNoPosition : texts.textFailed;
  }
  button.disabled = false;
}

if (navigator.geolocation) {
  box.hidden = false;
  button.addEventListener("click", look);
}
