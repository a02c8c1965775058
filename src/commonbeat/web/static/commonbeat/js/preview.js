// The preview beside the topic form follows what is typed. Without this file the button "Show the preview" does it.
const form = document.querySelector("form[data-preview]");
let target = document.querySelector("[data-preview-target]");
let timer;
let running;

async function refresh() {
  running?.abort();
  running = new AbortController();
  const data = new FormData(form);
  data.set("do", "look");
  try {
    const answer = await fetch(location.href, { method: "POST", body: data, signal: running.signal });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-preview-target]");
    if (fresh) {
      target.replaceWith(fresh);
      target = fresh;
    }
  } catch {
    // No network, or overtaken by the next letter: the preview stays as it is.
  }
}

if (form && target) {
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, 500);
  });
}
