// The confirmation: copy and print buttons, and nothing typed is remembered any longer.
export function ready() {
  try {
    sessionStorage.clear();
  } catch {
    // Storage may be switched off.
  }
  const copy = document.querySelector("[data-copy]");
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(copy.dataset.copy);
      copy.textContent = copy.dataset.copied;
    });
  }
  const print = document.querySelector("[data-print]");
  if (print) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }
}

if (document.querySelector("[data-report-sent]")) ready();
