// Files of a dialogue, sealed here and sent in pieces. Whatever breaks off goes on by itself: a piece is kept until the
// server has it, and after a cut the server is asked where to go on.
import { amount, ask, base64, mayLeave, say, stay, texts } from "./told.js";

const LEAST = 128 * 1024;
// The server takes 4 MiB; the last chunk of a piece may stand over.
const MOST = 3.5 * 1024 * 1024;
// On a slow line a piece should not take longer than this.
const SECONDS = 8;
const LONGEST_WAIT = 30;

export class Refused extends Error {}

// dialogue: {seal, tip, tipPublic, look, number}; addresses: {upload, piece}; gives the names of what could not be sent.
export async function uploadAll(files, dialogue, addresses) {
  const box = document.querySelector("[data-tip-uploading]");
  box.hidden = false;
  stay("upload");
  const line = new Line(box, files);
  const failed = [];
  for (const file of files) {
    try {
      await upload(file, dialogue, addresses, line);
    } catch (error) {
      failed.push(error instanceof Refused && error.message ? error.message : say(texts.broken, { name: file.name }));
    }
  }
  line.end(failed);
  mayLeave("upload");
  return failed;
}

async function upload(file, dialogue, addresses, line) {
  const { seal, tip, tipPublic } = dialogue;
  const key = seal.newFileKey();
  const began = await line.patiently(async () => {
    for (let tries = 0; tries < 5; tries += 1) {
      const number = dialogue.number;
      const box = seal.sealFileKey(key, file.name, { tip, number, tipPublic });
      const said = await ask(addresses.upload, { look_up: base64(dialogue.look), number, key_box: base64(box) });
      if (said.ok) return { ...said, number };
      if (said.expected === undefined) throw new Refused(said.problem);
      dialogue.number = said.expected;
    }
    throw new Refused();
  });
  dialogue.number = began.number + 1;
  const headers = { "Tip-File": String(began.file), "Tip-Secret": began.secret };
  const whole = seal.sealedLength(file.size);
  let [offset, parts, held, size] = [0, [], 0, LEAST];
  const put = async () => {
    const piece = new Blob(parts);
    const begun = performance.now();
    offset = await sendPiece(piece, offset, headers, addresses.piece, line);
    const seconds = Math.max(0.05, (performance.now() - begun) / 1000);
    size = Math.min(MOST, Math.max(LEAST, (piece.size / seconds) * SECONDS, size / 2), size * 4);
    [parts, held] = [[], 0];
    line.show(file, offset / whole);
  };
  line.show(file, 0);
  for await (const sealed of seal.sealedPieces(file, key, { tip, number: began.number })) {
    parts.push(sealed);
    held += sealed.length;
    if (held >= size) await put();
  }
  if (held) await put();
  await line.patiently(async () => {
    const said = await ask(addresses.piece, null, { ...headers, "Tip-Length": String(offset) });
    if (!said.ok) throw new Refused(said.problem);
  });
  line.sent(file);
}

// Send one piece that begins at `from` and give where the next one begins.
async function sendPiece(piece, from, headers, address, line) {
  const end = from + piece.size;
  let at = from;
  let wasCut = false;
  await line.patiently(async () => {
    while (at < end) {
      if (wasCut) {
        const known = await ask(address, null, headers);
        if (!known.ok) throw new Refused(known.problem);
        at = within(known.offset, from, end);
        wasCut = false;
        continue;
      }
      wasCut = true;
      const said = await ask(address, piece.slice(at - from), { ...headers, "Tip-Offset": String(at) });
      wasCut = false;
      if (said.ok) at = said.offset;
      else if (said.expected !== undefined) at = within(said.expected, from, end);
      else throw new Refused(said.problem);
    }
  });
  return end;
}

function within(offset, from, end) {
  // What lies before this piece is not kept: the file would have to begin anew.
  if (offset < from || offset > end) throw new Refused();
  return offset;
}

// What the page says of the upload.
class Line {
  constructor(box, files) {
    this.state = box.querySelector("[data-tip-upload-state]");
    this.bar = box.querySelector("[data-tip-progress]");
    this.button = box.querySelector("[data-tip-again]");
    this.all = files.reduce((sum, file) => sum + file.size, 0) || 1;
    this.before = 0;
  }

  show(file, share) {
    const done = Math.min(file.size, file.size * share);
    this.state.textContent = say(texts.uploading, { name: file.name, done: amount(done / 1e6, 1), all: amount(file.size / 1e6, 1) });
    this.bar.value = (100 * (this.before + done)) / this.all;
  }

  sent(file) {
    this.before += file.size;
    this.show(file, 1);
    this.bar.value = (100 * this.before) / this.all;
  }

  end(failed) {
    if (!failed.length) this.bar.value = 100;
    this.state.textContent = failed.length ? failed.join(" ") : texts.whole;
  }

  // Repeat until it works: after 1, 2, 4 … seconds, when there is a connection again, or when somebody presses the button.
  async patiently(work) {
    for (let seconds = 1; ; seconds = Math.min(LONGEST_WAIT, seconds * 2)) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof Refused) throw error;
      }
      this.state.textContent = say(texts.waiting, { number: amount(seconds) });
      this.button.hidden = false;
      await new Promise((go) => {
        const timer = setTimeout(go, seconds * 1000);
        const now = () => {
          clearTimeout(timer);
          go();
        };
        addEventListener("online", now, { once: true });
        this.button.onclick = now;
      });
      this.button.hidden = true;
    }
  }
}
