// Reports that survive the loss of the network. The form's "Send" and the offline page seal the report on this phone
// first if it cannot be sent, and send it when there is a connection: on load, on "online", and by Background Sync where
// there is such a thing. Works in secure contexts; elsewhere the form is sent as any form.
import { enqueue, flush, keep, kept, waiting } from "./queue.js";
import { canSeal, pack, seal } from "./sealed.js";

const texts = document.querySelector("template[data-outbox-texts]")?.content.firstElementChild?.dataset || {};
const TIMEOUT = 60_000;
const LONGEST_SIDE = 1600;

const say = (text, number) => (text || "").replace("{number}", new Intl.NumberFormat(document.documentElement.lang).format(number));

export async function showStatus(problem = "") {
  const box = document.querySelector("[data-outbox-status]");
  if (!box) return;
  const count = (await waiting()).length;
  const references = (await kept("references")) || [];
  box.replaceChildren();
  box.hidden = !count && !references.length;
  if (references.length) {
    const line = paragraph(`${texts.sent} `);
    for (const reference of references) {
      const shown = Object.assign(document.createElement("strong"), { className: "reference", textContent: reference, translate: false });
      line.append(shown);
    }
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button button-secondary button-small", textContent: texts.forget });
    button.addEventListener("click", async () => {
      await keep("references", undefined);
      showStatus();
    });
    box.append(noticed("success", line, button));
  }
  if (count) {
    const text = paragraph(say(count === 1 ? texts.waitingOne : texts.waitingMany, count));
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button button-secondary button-small", textContent: texts.again });
    button.addEventListener("click", sendWaiting);
    box.append(noticed("warning", text, ...(problem ? [paragraph(problem)] : []), button));
  }
}

function paragraph(text) {
  return Object.assign(document.createElement("p"), { textContent: text });
}

function noticed(kind, ...parts) {
  const notice = Object.assign(document.createElement("div"), { className: `notice notice-${kind}` });
  const inner = document.createElement("div");
  inner.append(...parts);
  notice.append(inner);
  return notice;
}

export async function sendWaiting() {
  const work = async () => {
    const { problem } = await flush();
    await showStatus(problem);
  };
  return navigator.locks ? navigator.locks.request("commonbeat-outbox", work) : work();
}

// Keep a filled-in form sealed on this phone.
export async function storeForm(form) {
  const point = await sitePoint();
  const fields = [];
  const photos = [];
  for (const [name, value] of new FormData(form)) {
    if (value instanceof File) {
      if (value.size) photos.push(await smaller(value));
    } else if (name !== "csrfmiddlewaretoken") fields.push([name, value]);
  }
  const report = { language: document.documentElement.lang, written_at: new Date().toISOString(), fields };
  const key = form.elements.key.value;
  await enqueue(key, await seal(point, pack(report, photos.slice(0, 3))));
  try {
    sessionStorage.clear();
    const registration = await navigator.serviceWorker?.ready;
    await registration?.sync?.register("outbox");
  } catch {
    // No Background Sync here: it is sent when a page is open.
  }
}

async function sitePoint() {
  const known = await kept("point");
  if (known) return known;
  return refreshPoint();
}

async function refreshPoint() {
  const answer = await fetch("/report/outbox/key", { credentials: "omit" });
  const { key } = await answer.json();
  const point = Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0));
  await keep("point", point);
  return point;
}

// A photo of a phone has ten times the bytes that the desk needs, and the envelope must fit into the outbox. Drawn anew,
// it also loses where and with what it was taken.
async function smaller(file) {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
    return new Uint8Array(await blob.arrayBuffer());
  } catch {
    return new Uint8Array(await file.arrayBuffer());
  }
}

function afterStoring(form) {
  form.replaceChildren(noticed("success", Object.assign(document.createElement("h2"), { textContent: texts.stored }), paragraph(texts.storedMore)));
  form.querySelector("h2").tabIndex = -1;
  form.querySelector("h2").focus();
}

async function sendForm(form) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT);
  let answer;
  let html;
  try {
    answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), signal: abort.signal, redirect: "follow" });
    html = await answer.text();
  } catch {
    answer = null;
  } finally {
    clearTimeout(timer);
  }
  // A gateway that answers for a server that is down is as good as no network.
  if (!answer || [502, 503, 504].includes(answer.status)) {
    await storeForm(form);
    afterStoring(form);
    await showStatus();
    return;
  }
  const page = new DOMParser().parseFromString(html, "text/html");
  document.title = page.title;
  document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
  if (answer.ok) {
    history.replaceState(null, "", new URL(form.action).pathname);
    try {
      sessionStorage.clear();
    } catch {
      // Nothing was remembered then.
    }
    (await import("./done.js")).ready();
  }
  scrollTo(0, 0);
  document.querySelector("main").focus();
}

function start() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const sends = event.submitter?.hasAttribute("data-send");
    if (form.hasAttribute("data-report-form") && sends) {
      event.preventDefault();
      event.submitter.disabled = true;
      sendForm(form).catch(() => form.submit());
    } else if (form.hasAttribute("data-offline-form")) {
      event.preventDefault();
      if (event.submitter) event.submitter.disabled = true;
      storeForm(form).then(() => {
        afterStoring(form);
        return showStatus();
      }).then(sendWaiting).catch(() => {
        if (event.submitter) event.submitter.disabled = false;
        form.prepend(noticed("danger", paragraph(texts.failed)));
      });
    }
  });
  const locate = document.querySelector("[data-device-place]");
  if (locate && navigator.geolocation) {
    locate.hidden = false;
    locate.addEventListener("click", () => navigator.geolocation.getCurrentPosition(({ coords }) => {
      const { elements } = locate.form;
      elements.latitude.value = coords.latitude.toFixed(6);
      elements.longitude.value = coords.longitude.toFixed(6);
      elements.place_source.value = "device";
      locate.parentElement.querySelector("[role=status]").textContent = locate.dataset.found;
    }, () => { locate.parentElement.querySelector("[role=status]").textContent = locate.dataset.lost; }, { enableHighAccuracy: true, timeout: 20000 }));
  }
  const offline = document.querySelector("[data-offline-form]");
  // The page comes from the cache, so its key would be the same for every report.
  if (offline) offline.elements.key.value = newKey();
  addEventListener("online", sendWaiting);
  navigator.serviceWorker?.register("/sw.js").then(() => navigator.serviceWorker.ready).then((registration) => registration.active?.postMessage("refresh")).catch(() => {});
  refreshPoint().catch(() => {});
  showStatus().then(sendWaiting).catch(() => {});
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

if (canSeal) start();
