// A dialogue, opened and answered in the browser: the server gets what is derived of the receipt, and sealed boxes.
import { ask, base64, fromBase64, loadSealing, mayLeave, part, problemOfFiles, say, send, sendPlain, showProblem, showSending, showState, stay, texts } from "./told.js";
import { uploadAll } from "./upload.js";

const page = document.querySelector("[data-tip-page]");
const form = document.querySelector("[data-tip-ask]");
let goesPlain = false;

async function load() {
  const seal = await loadSealing();
  if (form.isConnected) showState(page, seal ? texts.opensBrowser : texts.opensServer);
  return seal;
}

// opened: what goes on from one showing to the next: {seal, receipt, look, boxes, tip, tipKey}
async function open(seal, receipt) {
  const look = seal.lookUp(receipt);
  const said = await ask(form.dataset.boxes, { look_up: base64(look) });
  if (!said.ok) {
    showProblem(page, said.problem || texts.failed, "receipt");
    return null;
  }
  const tip = fromBase64(said.uid);
  const tipKey = seal.openAsSource(fromBase64(said.key_box), { tip, own: seal.sourcePair(receipt), tipPublic: fromBase64(said.public) });
  return { seal, receipt, look, said, tip, tipKey };
}

function misspelt(error) {
  return error.word ? say(texts.misspeltWord, { number: error.word }) : texts.misspelt;
}

function show(opened, sent = "") {
  const { said } = opened;
  const fragment = part("dialogue");
  const place = (name) => fragment.querySelector(`[data-tip-${name}]`);
  place("news").hidden = !said.news;
  place("standing").textContent = said.standing;
  place("ends").textContent = said.ends;
  place("ends").className = said.soon ? "notice notice-warning" : "muted";
  place("sent").hidden = !sent;
  place("sent").textContent = sent;
  place("opened").textContent = texts.opensBrowser;
  place("thread").replaceChildren(...said.texts.map((text) => message(opened, text)));
  if (said.files.length) {
    place("files").hidden = false;
    place("files").querySelector("ul").replaceChildren(...said.files.map((file) => fileLine(opened, file, place("answer").dataset.file)));
  }
  const answer = place("answer");
  if (said.over) answer.remove();
  else answer.addEventListener("submit", (event) => {
    event.preventDefault();
    take(opened, answer);
  });
  answer.addEventListener("input", () => stay("answer"));
  place("delete").addEventListener("submit", (event) => {
    event.preventDefault();
    erase(opened, event.currentTarget);
  });
  place("leave").addEventListener("click", (event) => {
    mayLeave("answer");
    location.replace(event.currentTarget.dataset.tipLeave);
  });
  page.replaceChildren(fragment);
  scrollTo(0, 0);
  page.querySelector("h1").focus();
}

function message({ seal, tip, tipKey }, { direction, number, day, box }) {
  const isOwn = direction === "to_desk";
  const purpose = isOwn ? seal.PURPOSE.textToDesk : seal.PURPOSE.textToSource;
  let text = texts.unreadable;
  try {
    text = seal.openText(fromBase64(box), { purpose, tip, number, tipKey });
  } catch {
    // One box that somebody has put there must not close the whole dialogue.
  }
  const item = Object.assign(document.createElement("li"), { className: `message message-${isOwn ? "resident" : "desk"}` });
  const head = Object.assign(document.createElement("div"), { className: "message-head" });
  head.append(Object.assign(document.createElement("strong"), { textContent: isOwn ? texts.you : texts.desk }), day);
  item.append(head, Object.assign(document.createElement("p"), { textContent: text, dir: "auto" }));
  return item;
}

function fileLine({ seal, tip, tipKey, look }, file, address) {
  const item = document.createElement("li");
  let found = null;
  try {
    found = seal.openFileKey(fromBase64(file.key_box), { tip, number: file.number, tipKey });
  } catch {
    // As with a text.
  }
  const name = Object.assign(document.createElement("bdi"), { textContent: found ? found.name : texts.unreadableFile });
  const aside = Object.assign(document.createElement("span"), { className: "muted", textContent: file.is_whole ? file.day : `${file.day} · ${texts.notWhole}` });
  item.append(name, aside);
  if (!found || !file.is_whole) return item;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button button-quiet button-small", textContent: texts.download });
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await download(found, { seal, tip, number: file.number }, await send(address, JSON.stringify({ look_up: base64(look), file: file.id })));
    } catch {
      aside.textContent = say(texts.broken, { name: found.name });
    }
    button.disabled = false;
  });
  item.append(button);
  return item;
}

async function download({ key, name }, { seal, tip, number }, response) {
  if (!response.ok) throw new Error("not there");
  const parts = [];
  for await (const piece of seal.openedPieces(await response.blob(), key, { tip, number })) parts.push(new Blob([piece]));
  const address = URL.createObjectURL(new Blob(parts, { type: "application/octet-stream" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

async function take(opened, answer) {
  const text = answer.elements.text.value.replaceAll("\r\n", "\n");
  const files = [...answer.elements.files.files];
  const problem = text.trim() || files.length ? problemOfFiles(files, answer) : texts.nothing;
  showProblem(page, problem, text.trim() || files.length ? "files" : "text");
  if (problem) return;
  showSending(answer, true);
  try {
    const refusal = text.trim() ? await sendText(opened, text, answer.dataset.answer) : "";
    if (refusal) {
      showSending(answer, false);
      showProblem(page, refusal, "text");
      return;
    }
    answer.elements.text.value = "";
    mayLeave("answer");
    const { seal, tip, tipKey, look, said } = opened;
    const failed = files.length
      ? await uploadAll(files, { seal, tip, tipPublic: tipKey.public, look, number: said.next_file }, answer.dataset)
      : [];
    const again = await open(seal, opened.receipt);
    if (again) show(again, failed.length ? failed.join(" ") : texts.sent);
  } catch {
    showSending(answer, false);
    showProblem(page, texts.failed);
  }
}

async function erase({ look }, box) {
  showProblem(page, box.elements.sure.checked ? "" : texts.notSure, "sure");
  if (!box.elements.sure.checked) return;
  try {
    const said = await ask(box.dataset.tipDelete, { look_up: base64(look) });
    if (!said.ok) {
      showProblem(page, said.problem || texts.failed);
      return;
    }
  } catch {
    showProblem(page, texts.failed);
    return;
  }
  mayLeave("answer");
  page.replaceChildren(part("deleted"));
  scrollTo(0, 0);
  page.querySelector("h1").focus();
}

// Gives a sentence when it was refused. A box whose answer was lost is looked for before it is sealed under another number.
async function sendText(opened, text, address) {
  const { seal, tip, tipKey, look } = opened;
  for (let tries = 0; tries < 5; tries += 1) {
    const number = opened.said.next_text;
    if (opened.last?.text !== text || opened.last.number !== number) {
      const box = seal.sealText(text, { purpose: seal.PURPOSE.textToDesk, tip, number, tipPublic: tipKey.public });
      opened.last = { text, number, box: base64(box) };
    }
    const answered = await ask(address, { look_up: base64(look), number, text: opened.last.box });
    if (answered.ok) return "";
    if (answered.expected === undefined) return answered.problem || texts.failed;
    const again = await ask(form.dataset.boxes, { look_up: base64(look) });
    if (!again.ok) return again.problem || texts.failed;
    if (again.texts.some((each) => each.direction === "to_desk" && each.box === opened.last.box)) return "";
    opened.said = again;
  }
  return texts.failed;
}

// Somebody may have begun to type before this file was there.
if (form.matches(":focus-within")) load();
else form.addEventListener("focusin", load, { once: true });
form.addEventListener("submit", async (event) => {
  if (goesPlain) return;
  event.preventDefault();
  const seal = await load();
  if (!seal) {
    goesPlain = true;
    sendPlain(form);
    return;
  }
  showSending(form, true);
  try {
    const opened = await open(seal, seal.readReceipt(form.elements.receipt.value));
    if (opened) show(opened);
  } catch (error) {
    showProblem(page, error instanceof seal.Misspelt ? misspelt(error) : texts.failed, "receipt");
  }
  if (form.isConnected) showSending(form, false);
});
