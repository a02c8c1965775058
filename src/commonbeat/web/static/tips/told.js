// What the pages of tips share: their words, bytes in base64, asking the server, problems, and a warning before leaving.
export const texts = document.querySelector("template[data-tip-texts]")?.content.firstElementChild?.dataset || {};

export const say = (text, values = {}) => (text || "").replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);

export const amount = (number, digits = 0) =>
  new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: digits }).format(number);

export function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

export const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

export const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

export const toHex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// Post without cookies, whoever is signed in here. Rejected when there is no connection, or no answer for two minutes.
export async function send(address, body, headers = {}) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 120_000);
  try {
    return await fetch(address, {
      method: "POST",
      body,
      headers: { "Accept-Language": document.documentElement.lang, ...headers },
      credentials: "omit",
      cache: "no-store",
      referrerPolicy: "no-referrer",
      signal: controller.signal,
    });
  } finally {
    clearTimeout(timer);
  }
}

// Give {ok, status, …what the server said}; a server that cannot answer now is as no connection.
export async function ask(address, what, headers = {}) {
  const isPlain = what instanceof Blob || what === null;
  const response = await send(address, isPlain ? what : JSON.stringify(what), {
    "Content-Type": isPlain ? "application/octet-stream" : "application/json",
    ...headers,
  });
  let said = {};
  try {
    said = await response.json();
  } catch {
    // A page, or nothing.
  }
  if (response.status >= 500 && !said.problem) throw new Error("the server cannot answer now");
  return { ...said, ok: response.ok, status: response.status };
}

export function part(name) {
  return document.querySelector(`template[data-tip-${name}]`).content.cloneNode(true);
}

export function showProblem(within, sentence, field = "") {
  const place = within.querySelector("[data-tip-problem]");
  place.replaceChildren();
  if (!sentence) return;
  const box = Object.assign(document.createElement("div"), { className: "error-summary", tabIndex: -1 });
  box.setAttribute("role", "alert");
  const line = document.createElement(field ? "a" : "p");
  if (field) line.href = `#id_${field}`;
  line.textContent = sentence;
  box.append(Object.assign(document.createElement("h2"), { textContent: texts.problem }), line);
  place.append(box);
  box.focus();
}

export function showState(within, sentence) {
  const place = within.querySelector("[data-tip-state]");
  place.replaceChildren(Object.assign(document.createElement("strong"), { textContent: sentence }));
}

export function showSending(form, isSending) {
  const line = form.querySelector("[data-tip-sending]");
  line.hidden = !isSending;
  line.textContent = isSending ? texts.sending : "";
  for (const button of form.querySelectorAll("button")) button.disabled = isSending;
}

// Reasons why this page should not be left yet.
const reasons = new Set();

addEventListener("beforeunload", (event) => {
  // "Exit this page" hides it first: whoever must leave at once is not asked.
  if (!reasons.size || document.body.hidden) return;
  event.preventDefault();
  event.returnValue = "";
});

export const stay = (reason) => reasons.add(reason);

export const mayLeave = (reason) => reasons.delete(reason);

// Send a form as any form; not while its "submit" is still being told, when browsers pass over another one.
export function sendPlain(form) {
  setTimeout(() => (form.requestSubmit ? form.requestSubmit() : form.submit()));
}

// Check what was chosen; give a sentence, or nothing.
export function problemOfFiles(files, form) {
  const [most, mostBytes] = [Number(form.dataset.mostFiles), Number(form.dataset.mostBytes)];
  if (files.length > most) return say(texts.tooMany, { number: amount(most) });
  const large = files.find((file) => file.size > mostBytes);
  return large ? say(texts.tooLarge, { name: large.name, number: amount(mostBytes / 1e6) }) : "";
}

// Load what seals, once; gives it, or null where the browser cannot.
let sealing;
export function loadSealing() {
  sealing ??= (async () => {
    try {
      const found = await import("./seal.js");
      await found.ready;
      return found;
    } catch {
      return null;
    }
  })();
  return sealing;
}
