// Keys, labels and sealed boxes of tips; the twin of commonbeat/tips/keys.py, envelope.py and padding.py.
import sodium from "../vendor/libsodium/libsodium-wrappers.js";

// Rejected where WebAssembly is missing or forbidden: then the page sends the form as it is, and the server seals.
export const ready = sodium.ready;

export class Unopenable extends Error {
  constructor() {
    super("this cannot be opened");
  }
}

export class TooLong extends Error {}

export const PURPOSE = {
  textToDesk: 1,
  textToSource: 2,
  tipKeyForMember: 3,
  tipKeyForSource: 4,
  tipKeyForEscrow: 5,
  fileKey: 6,
};
const MAGIC = [0x43, 0x42, 0x74, 0x70];
export const VERSION = 1;
const ID_BYTES = 16;
const HEADER_BYTES = 42;
const SIZE_CLASSES = [512, 2048, 8192, 32768, 131072, 524288];
const KEY_ID_LABEL = "commonbeat tip v1 key id";

export const utf8 = (text) => new TextEncoder().encode(text);

export function joined(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function fromUtf8(bytes) {
  try {
    // Python keeps a byte order mark, and so must we.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Unopenable();
  }
}

export function uint32(number) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

export function derive(label, secret) {
  const key = new Uint8Array(32);
  key.set(utf8(label));
  return sodium.crypto_generichash(32, secret, key);
}

export const keyId = (publicKey) => derive(KEY_ID_LABEL, publicKey).slice(0, ID_BYTES);

export function newPair() {
  const { publicKey, privateKey } = sodium.crypto_box_keypair();
  return { public: publicKey, private: privateKey };
}

export function pairFromSeed(seed) {
  const { publicKey, privateKey } = sodium.crypto_box_seed_keypair(seed);
  return { public: publicKey, private: privateKey };
}

function header({ purpose, subject, recipient, number = 0 }) {
  if (subject.length !== ID_BYTES || recipient.length !== ID_BYTES || !Number.isInteger(number) || number < 0 || number > 0xffffffff) {
    throw new RangeError("a label has two ids of 16 bytes and a number below 2**32");
  }
  return joined(MAGIC, [VERSION, purpose], uint32(number), subject, recipient);
}

// A label is {purpose, subject, recipient, number}: subject and recipient are 16 bytes.
export function seal(label, body, publicKey) {
  return joined([VERSION], sodium.crypto_box_seal(joined(header(label), body), publicKey));
}

export function unseal(label, box, pair) {
  const expected = header(label);
  let plain;
  try {
    if (box[0] !== VERSION) throw new Unopenable();
    plain = sodium.crypto_box_seal_open(box.subarray(1), pair.public, pair.private);
  } catch {
    throw new Unopenable();
  }
  if (plain.length < HEADER_BYTES || !sodium.memcmp(plain.slice(0, HEADER_BYTES), expected)) throw new Unopenable();
  return plain.slice(HEADER_BYTES);
}

export function pad(plain) {
  const size = SIZE_CLASSES.find((one) => plain.length < one);
  if (!size) throw new TooLong();
  const padded = new Uint8Array(size);
  padded.set(plain);
  padded[plain.length] = 0x80;
  return padded;
}

export function unpad(padded) {
  let end = padded.length;
  while (end && padded[end - 1] === 0) end -= 1;
  const length = end - 1;
  const size = SIZE_CLASSES.find((one) => length < one);
  if (end === 0 || padded[length] !== 0x80 || padded.length !== size) throw new Unopenable();
  return padded.slice(0, length);
}

// What a tip's key is sealed in for whoever may open it.
function opened(privateKey, publicKey) {
  if (privateKey.length !== 32) throw new Unopenable();
  const found = sodium.crypto_scalarmult_base(privateKey);
  if (!sodium.memcmp(found, publicKey)) throw new Unopenable();
  return { public: found, private: privateKey };
}

// members: [{id, public}]; gives the pair, which stays here, and what is stored: boxes in the order of the members.
export function newTip({ members, sourcePublic, escrowPublic = null }) {
  const tip = sodium.randombytes_buf(ID_BYTES);
  const pair = newPair();
  const wrap = (purpose, recipient, publicKey) => seal({ purpose, subject: tip, recipient }, pair.private, publicKey);
  return {
    tip,
    pair,
    forMembers: members.map((member) => wrap(PURPOSE.tipKeyForMember, member.id, member.public)),
    forSource: wrap(PURPOSE.tipKeyForSource, keyId(sourcePublic), sourcePublic),
    forEscrow: escrowPublic && wrap(PURPOSE.tipKeyForEscrow, keyId(escrowPublic), escrowPublic),
  };
}

export function openAsSource(box, { tip, own, tipPublic }) {
  const label = { purpose: PURPOSE.tipKeyForSource, subject: tip, recipient: keyId(own.public) };
  return opened(unseal(label, box, own), tipPublic);
}

export function openAsMember(box, { tip, member, own, tipPublic }) {
  return opened(unseal({ purpose: PURPOSE.tipKeyForMember, subject: tip, recipient: member }, box, own), tipPublic);
}
