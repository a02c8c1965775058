// Pass an address on: by what the telephone offers, else to the clipboard. Without this file the address stands there.
for (const button of document.querySelectorAll("[data-share]")) {
  if (!navigator.share && !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      if (navigator.share) await navigator.share({ title: button.dataset.shareTitle, url: button.dataset.share });
      else {
        await navigator.clipboard.writeText(button.dataset.share);
        button.textContent = button.dataset.copied;
      }
    } catch {
      // Closed without choosing, or not allowed: the address stands beside the button.
    }
  });
}
