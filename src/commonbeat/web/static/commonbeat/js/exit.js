// Leave this page at once: the button, or Escape three times within two seconds. The page is replaced in the history,
// so that "back" does not return to it, and whatever the tab and the browser remembered is forgotten. Without this file
// the button is a plain link to /exit/, which does the same.
const link = document.querySelector("[data-exit]");

function leave() {
  document.title = "…";
  document.body.hidden = true;
  try {
    sessionStorage.clear();
  } catch {
    // Storage may be switched off; there is then nothing to forget.
  }
  // The answer empties the browser's cache of this site; nobody waits for it.
  fetch(link.href, { method: "POST", keepalive: true }).catch(() => undefined);
  location.replace(link.dataset.exit);
}

if (link) {
  let presses = [];
  link.addEventListener("click", (event) => {
    event.preventDefault();
    leave();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") {
      presses = [];
      return;
    }
    presses = [...presses.filter((at) => event.timeStamp - at < 2000), event.timeStamp];
    if (presses.length >= 3) leave();
  });
}
