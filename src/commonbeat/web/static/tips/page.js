// Pages of tips. The form is sealed here before anything leaves the browser; where that cannot be, it goes as any form goes
// and the server seals. The words of the receipt are drawn and checked here, and go nowhere.
import { ask, base64, fromHex, loadSealing, mayLeave, part, problemOfFiles, say, sendPlain, showProblem, showSending, showState, stay, texts, toHex } from "./told.js";
import { uploadAll } from "./upload.js";

const page = document.querySelector("[data-tip-page]");
const form = document.querySelector("[data-tip-form]");
// What was sealed and sent and has not been answered: sent again it is the same tip.
let pending = null;
let goesPlain = false;

async function loadFor(place) {
  const seal = await loadSealing();
  showState(place, seal ? texts.byBrowser : texts.byServer);
  return seal;
}

function make(seal, text) {
  const { members, escrow } = JSON.parse(form.dataset.sealing);
  const ids = Object.keys(members);
  const receipt = seal.newReceipt();
  const own = seal.sourcePair(receipt);
  const { tip, pair, forMembers, forSource, forEscrow } = seal.newTip({
    members: ids.map((id) => ({ id: fromHex(id), public: fromHex(members[id]) })),
    sourcePublic: own.public,
    escrowPublic: escrow ? fromHex(escrow) : null,
  });
  const box = seal.sealText(text, { purpose: seal.PURPOSE.textToDesk, tip, number: 0, tipPublic: pair.public });
  const look = seal.lookUp(receipt);
  return {
    text,
    receipt,
    dialogue: { seal, tip, tipPublic: pair.public, look, number: 0 },
    body: {
      uid: base64(tip),
      public: base64(pair.public),
      source_public: base64(own.public),
      look_up: base64(look),
      members: Object.fromEntries(ids.map((id, place) => [toHex(fromHex(id)), base64(forMembers[place])])),
      for_source: base64(forSource),
      for_escrow: forEscrow && base64(forEscrow),
      text: base64(box),
    },
  };
}

async function submit(seal) {
  const fields = form.elements;
  const text = fields.text.value.replaceAll("\r\n", "\n");
  const files = [...fields.files.files];
  if (!text.trim()) return showProblem(page, texts.empty, "text");
  const problem = problemOfFiles(files, form);
  if (problem) return showProblem(page, problem, "files");
  if (!pending || pending.text !== text) {
    try {
      pending = { ...make(seal, text), earlier: pending };
    } catch (error) {
      if (error instanceof seal.TooLong) return showProblem(page, texts.tooLong, "text");
      throw error;
    }
  }
  const trap = form.querySelector(".tip-trap input").value;
  const asked = { ...pending.body, ticket: fields.ticket.value, trap, about: fields.about?.value || "" };
  const said = await ask(form.dataset.sealed, asked);
  if (said.ok) return arrived(pending, files);
  // An earlier sending had arrived, and its answer was lost.
  if (said.status === 409 && pending.earlier) return arrived(pending.earlier, files);
  pending = { ...pending, earlier: null };
  if (said.ticket) fields.ticket.value = said.ticket;
  return showProblem(page, said.problem || texts.failed);
}

function arrived({ receipt, dialogue }, files) {
  const addresses = { upload: form.dataset.upload, piece: form.dataset.piece };
  pending = null;
  mayLeave("text");
  stay("receipt");
  showReceipt(dialogue.seal, receipt);
  if (files.length) uploadAll(files, dialogue, addresses);
}

function shown(fragment) {
  page.replaceChildren(fragment);
  scrollTo(0, 0);
  page.querySelector("h1, input")?.focus();
}

function showReceipt(seal, receipt) {
  const fragment = part("receipt");
  const words = seal.showReceipt(receipt).split("-");
  fragment.querySelectorAll("[data-word]").forEach((place, at) => (place.textContent = words[at]));
  fragment.querySelector("[data-tip-card]").addEventListener("click", () => saveCard(words));
  fragment.querySelector("[data-tip-print]").addEventListener("click", () => print());
  fragment.querySelector("[data-tip-saved]").addEventListener("click", () => askWord(seal, receipt));
  shown(fragment);
}

function askWord(seal, receipt) {
  const fragment = part("word");
  const label = fragment.querySelector("label");
  label.textContent = say(label.textContent, { number: 1 + (crypto.getRandomValues(new Uint8Array(1))[0] & 7) });
  const [input, error] = [fragment.querySelector("input"), fragment.querySelector(".error")];
  fragment.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (seal.isWordOf(receipt, input.value)) {
      mayLeave("receipt");
      shown(part("done"));
      return;
    }
    error.hidden = false;
    error.textContent = texts.wrongWord;
    input.setAttribute("aria-invalid", "true");
    input.focus();
  });
  fragment.querySelector("[data-tip-words]").addEventListener("click", () => showReceipt(seal, receipt));
  shown(fragment);
  input.focus();
}

function saveCard(words) {
  const card = part("card-drawing").querySelector("svg");
  card.querySelectorAll("[data-word]").forEach((place, at) => (place.textContent = words[at]));
  const address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(card)], { type: "image/svg+xml" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: "card.svg" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

if (form) {
  // Somebody may have begun to write before this file was there.
  if (form.matches(":focus-within")) loadFor(page);
  else form.addEventListener("focusin", () => loadFor(page), { once: true });
  form.addEventListener("input", () => stay("text"));
  let isBusy = false;
  form.addEventListener("submit", async (event) => {
    if (goesPlain) return;
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    showSending(form, true);
    showProblem(page, "");
    const seal = await loadFor(page);
    if (seal) {
      try {
        await submit(seal);
      } catch {
        showProblem(page, texts.failed);
      }
    }
    isBusy = false;
    if (form.isConnected) showSending(form, false);
    if (seal) return;
    goesPlain = true;
    mayLeave("text");
    sendPlain(form);
  });
} else if (document.querySelector("[data-tip-ask]")) {
  import("./dialogue.js");
}

for (const button of document.querySelectorAll("[data-tip-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
