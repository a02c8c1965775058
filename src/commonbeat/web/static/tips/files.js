// Files, sealed and opened in pieces of 64 KiB, never whole in memory; the twin of commonbeat/tips/files.py.
import sodium from "../vendor/libsodium/libsodium-wrappers.js";
import { PURPOSE, Unopenable, VERSION, fromUtf8, joined, keyId, pad, seal, uint32, unpad, unseal, utf8 } from "./keys.js";

const MAGIC = [0x43, 0x42, 0x74, 0x66];
const CHUNK_BYTES = 65536;
const ROOM = CHUNK_BYTES - 4;
const HEADER_BYTES = 24;
const TAG_BYTES = 17;
const LEAST = 4096;
const MESSAGE = 0;
const FINAL = 3;

// Padmé: at most 6.3 % more above 4,096 bytes. In doubles, exact below 2 ** 53.
export function paddedLength(length) {
  if (length <= LEAST) return LEAST;
  let exponent = 12;
  while (2 ** (exponent + 1) <= length) exponent += 1;
  const step = 2 ** (exponent - (32 - Math.clz32(exponent)));
  return Math.ceil(length / step) * step;
}

export function sealedLength(length) {
  const padded = paddedLength(length);
  return HEADER_BYTES + padded + Math.ceil(padded / ROOM) * (4 + TAG_BYTES);
}

const label = (tip, number, tipPublic) => ({ purpose: PURPOSE.fileKey, subject: tip, recipient: keyId(tipPublic), number });
const bound = (tip, number) => joined(MAGIC, [VERSION], uint32(number), tip);

export const newFileKey = () => sodium.randombytes_buf(32);

export function sealFileKey(key, name, { tip, number, tipPublic }) {
  return seal(label(tip, number, tipPublic), pad(joined(key, utf8(name))), tipPublic);
}

export function openFileKey(box, { tip, number, tipKey }) {
  const body = unpad(unseal(label(tip, number, tipKey.public), box, tipKey));
  if (body.length < 32) throw new Unopenable();
  return { key: body.slice(0, 32), name: fromUtf8(body.subarray(32)) };
}

const bytesOf = async (blob, from, to) => new Uint8Array(await blob.slice(from, to).arrayBuffer());

// Give the sealed bytes of a Blob one after another: the header, then chunks. Joined they are the sealed file.
export async function* sealedPieces(blob, key, { tip, number }) {
  const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
  yield header;
  const padded = paddedLength(blob.size);
  for (let at = 0; at < padded; at += ROOM) {
    const room = Math.min(ROOM, padded - at);
    const content = await bytesOf(blob, Math.min(at, blob.size), Math.min(at + room, blob.size));
    const plain = new Uint8Array(4 + room);
    plain.set(uint32(content.length));
    plain.set(content, 4);
    const tag = at + room === padded ? FINAL : MESSAGE;
    yield sodium.crypto_secretstream_xchacha20poly1305_push(state, plain, at ? null : bound(tip, number), tag);
  }
}

// Give what is in a sealed Blob, piece by piece. What was cut off is noticed at the end only: keep the pieces when it ends.
export async function* openedPieces(blob, key, { tip, number }) {
  let state;
  try {
    state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(await bytesOf(blob, 0, HEADER_BYTES), key);
  } catch {
    throw new Unopenable();
  }
  let [at, length, padded, ended, tag] = [HEADER_BYTES, 0, 0, false, MESSAGE];
  while (tag !== FINAL) {
    const sealed = await bytesOf(blob, at, at + CHUNK_BYTES + TAG_BYTES);
    let found = false;
    try {
      found = sodium.crypto_secretstream_xchacha20poly1305_pull(state, sealed, at === HEADER_BYTES ? bound(tip, number) : null);
    } catch {
      // Too short to be a chunk.
    }
    if (!found || found.message.length <= 4) throw new Unopenable();
    at += sealed.length;
    tag = found.tag;
    const plain = found.message;
    const count = new DataView(plain.buffer, plain.byteOffset).getUint32(0);
    const room = plain.length - 4;
    if ((tag !== MESSAGE && tag !== FINAL) || (tag === MESSAGE && room !== ROOM)) throw new Unopenable();
    if (count > room || (ended && count)) throw new Unopenable();
    for (let place = 4 + count; place < plain.length; place += 1) if (plain[place]) throw new Unopenable();
    length += count;
    padded += room;
    ended = count < room;
    if (count) yield plain.subarray(4, 4 + count);
  }
  if (padded !== paddedLength(length) || at !== blob.size) throw new Unopenable();
}
