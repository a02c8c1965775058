// Seal and open tips in the browser, byte for byte as commonbeat/tips does (docs/reference/sealing.md has the bytes and
// test vectors). 150 kB with libsodium: a page imports this module when somebody begins to write, awaits `ready`, and where
// that fails (no WebAssembly, or no 'wasm-unsafe-eval' in the page's policy) sends the form as it is for the server to seal.
import { fromUtf8, keyId, pad, seal, unpad, unseal, utf8 } from "./keys.js";

export { PURPOSE, TooLong, Unopenable, newPair, newTip, openAsMember, openAsSource, ready } from "./keys.js";
export { Misspelt, isWordOf, lookUp, newReceipt, read as readReceipt, show as showReceipt, sourcePair } from "./receipt.js";
export { newFileKey, openFileKey, openedPieces, sealFileKey, sealedLength, sealedPieces } from "./files.js";

const label = (purpose, tip, number, tipPublic) => ({ purpose, subject: tip, recipient: keyId(tipPublic), number });

// purpose: PURPOSE.textToDesk or PURPOSE.textToSource; number counts the texts of this direction within the tip, from 0.
export function sealText(text, { purpose, tip, number, tipPublic }) {
  return seal(label(purpose, tip, number, tipPublic), pad(utf8(text)), tipPublic);
}

export function openText(box, { purpose, tip, number, tipKey }) {
  return fromUtf8(unpad(unseal(label(purpose, tip, number, tipKey.public), box, tipKey)));
}
