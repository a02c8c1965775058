// The service worker: /sw.js is this file after the list of what to keep (SHELL, VERSION), queue.js and push.js.
const CACHE = `commonbeat-${VERSION}`;
const OFFLINE = "/report/offline/";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("commonbeat-") && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    // "Back" and "forward" ask for a page that the browser has kept; only the browser knows where. A step of the form is
    // the answer to a POST, which it keeps only if it fetched it itself.
    if (["only-if-cached", "force-cache"].includes(request.cache)) return;
    if (request.method !== "GET" && navigator.onLine) return;
    event.respondWith(fetch(request).catch(async () => (await caches.match(OFFLINE)) || Response.error()));
  } else if (request.method === "GET" && url.pathname.startsWith("/static/")) {
    event.respondWith(caches.open(CACHE).then((cache) => cache.match(request)).then((found) => found || fetch(request)));
  }
});

// The offline page follows the language that the person chose.
self.addEventListener("message", (event) => {
  if (event.data === "refresh") event.waitUntil(caches.open(CACHE).then((cache) => cache.add(OFFLINE)).catch(() => {}));
});

self.addEventListener("sync", (event) => {
  if (event.tag === "outbox") event.waitUntil(flush().then(async () => {
    if ((await waiting()).length) throw new Error("something still waits");
  }));
});
