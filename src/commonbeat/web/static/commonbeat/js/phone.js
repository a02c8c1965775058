// The demo's telephone: ask once a second whether an answer has come, while the page is in view.
const log = document.querySelector("#said[data-refresh]");

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(log.dataset.refresh, { credentials: "same-origin" });
  if (!answer.ok) return;
  const text = await answer.text();
  if (text.trim() === log.dataset.last) return;
  log.dataset.last = text.trim();
  log.innerHTML = text; // our own escaped fragment
  log.scrollTop = log.scrollHeight;
}

if (log) {
  log.scrollTop = log.scrollHeight;
  setInterval(() => refresh().catch(() => undefined), 1000);
}
