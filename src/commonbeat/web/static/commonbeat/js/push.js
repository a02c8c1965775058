// Warnings that come while no page is open. The service worker carries this text after queue.js (web/public/offline.py).
// A message is what alerts/rendering.py writes: {id, title, body, lang, dir, topic, urgent, test, over, expires}.
function shown(told) {
  const options = {
    body: told.body || "", lang: told.lang || "", dir: told.dir === "rtl" ? "rtl" : "auto", icon: ICON, data: { id: told.id },
    requireInteraction: Boolean(told.urgent && !told.over),
  };
  // What has the same topic takes the place of what was shown before; a browser refuses renotify without a tag.
  if (told.topic) Object.assign(options, { tag: told.topic, renotify: true });
  return [told.title || SITE_NAME, options];
}

self.addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data?.json() || {};
  } catch {
    // A browser that is pushed to must show something, or it takes the permission away.
  }
  const late = told.expires && told.expires * 1000 < Date.now();
  const [title, options] = shown(late ? { ...told, urgent: false } : told);
  event.waitUntil(self.registration.showNotification(title, options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const id = Number(event.notification.data?.id);
  const address = new URL(Number.isSafeInteger(id) && id > 0 ? `/a/${id}` : "/alerts/", self.location.origin).href;
  event.waitUntil((async () => {
    for (const page of await self.clients.matchAll({ type: "window", includeUncontrolled: true })) {
      // A form that somebody is filling in must not be lost to a tap: only pages of alerts are led on.
      if (new URL(page.url).pathname.startsWith("/alerts/") && !new URL(page.url).pathname.startsWith("/alerts/subscribe/") && "navigate" in page) {
        const led = await page.navigate(address).catch(() => null);
        if (led) return led.focus();
      }
    }
    return self.clients.openWindow(address);
  })());
});

// The browser has given this subscription another address: the site learns of it from the old one, which proves whose
// it is. Without the old one nobody can tell; the page of subscriptions mends it when it is next opened.
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil((async () => {
    const old = event.oldSubscription;
    const fresh = event.newSubscription || (old && await self.registration.pushManager.subscribe(old.options).catch(() => null));
    if (!old || !fresh) return;
    await fetch("/alerts/subscribe/moved", {
      method: "POST", credentials: "omit", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ old, fresh }),
    });
  })());
});
