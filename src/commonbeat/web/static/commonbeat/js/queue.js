// The outbox on this phone: sealed reports that wait for a connection, and references that nobody has seen yet.
// Pages import this file; the service worker carries the same text without its exports.
const OUTBOX = "/report/outbox/";

function openQueue() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("commonbeat", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("waiting", { keyPath: "id" });
      request.result.createObjectStore("kept", { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function within(store, mode, work) {
  const base = await openQueue();
  try {
    return await new Promise((resolve, reject) => {
      const act = base.transaction(store, mode, mode === "readwrite" ? { durability: "strict" } : undefined);
      const request = work(act.objectStore(store));
      act.oncomplete = () => resolve(request.result);
      act.onerror = () => reject(act.error);
      act.onabort = () => reject(act.error);
    });
  } finally {
    base.close();
  }
}

export const waiting = () => within("waiting", "readonly", (store) => store.getAll());
export const enqueue = (id, envelope) => within("waiting", "readwrite", (store) => store.put({ id, envelope }));
export const forget = (id) => within("waiting", "readwrite", (store) => store.delete(id));
export const kept = (id) => within("kept", "readonly", (store) => store.get(id)).then((row) => row?.value);
export const keep = (id, value) => within("kept", "readwrite", (store) => (value === undefined ? store.delete(id) : store.put({ id, value })));

// Send what waits, oldest first. Returns the references that came back; what fails stays for the next time. The server
// knows each report by its key, so a repeat is the same report.
export async function flush() {
  const references = [];
  let problem = "";
  for (const { id, envelope } of await waiting()) {
    let answer;
    try {
      answer = await fetch(OUTBOX, { method: "POST", body: envelope, headers: { "Content-Type": "application/octet-stream" }, credentials: "omit" });
    } catch {
      break;
    }
    const told = await answer.json().catch(() => ({}));
    if (answer.ok && told.reference) {
      // Kept before it is taken off the queue: a phone that dies between the two sends it again and hears the same.
      await keep("references", [...new Set([...((await kept("references")) || []), told.reference])]);
      await forget(id);
      references.push(told.reference);
    } else {
      problem = told.error || "";
      if (answer.status === 429 || answer.status >= 500) break;
    }
  }
  return { references, problem };
}
