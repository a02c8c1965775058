// Seal bytes to the site's public key, so that whoever holds this phone later cannot read them: P-256 ECDH, HKDF-SHA256,
// AES-256-GCM. The envelope is 0x01, our one-time public point (65), the nonce (12), the ciphertext; the first 66 bytes
// are authenticated. foundation/crypto.py opens it. The one-time private key is never stored.
const CURVE = { name: "ECDH", namedCurve: "P-256" };

export const canSeal = Boolean(globalThis.isSecureContext && globalThis.crypto?.subtle && globalThis.indexedDB);

export async function seal(sitePoint, plain) {
  const { subtle } = crypto;
  const site = await subtle.importKey("raw", sitePoint, CURVE, false, []);
  const once = await subtle.generateKey(CURVE, false, ["deriveBits"]);
  const point = new Uint8Array(await subtle.exportKey("raw", once.publicKey));
  const header = new Uint8Array([1, ...point]);
  const secret = await subtle.deriveBits({ name: "ECDH", public: site }, once.privateKey, 256);
  const material = await subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const info = new TextEncoder().encode("commonbeat outbox v1");
  const key = await subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info }, material, { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const hidden = new Uint8Array(await subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: header }, key, plain));
  const envelope = new Uint8Array(header.length + nonce.length + hidden.length);
  envelope.set(header);
  envelope.set(nonce, header.length);
  envelope.set(hidden, header.length + nonce.length);
  return envelope;
}

// One report as bytes: the length of the JSON (4 bytes), the JSON, then the photos one after another.
export function pack(report, photos) {
  const json = new TextEncoder().encode(JSON.stringify({ ...report, photos: photos.map((photo) => photo.length) }));
  const size = photos.reduce((sum, photo) => sum + photo.length, 4 + json.length);
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, json.length);
  bytes.set(json, 4);
  let at = 4 + json.length;
  for (const photo of photos) {
    bytes.set(photo, at);
    at += photo.length;
  }
  return bytes;
}
