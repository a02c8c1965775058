// Keys of the desk: j/k move, Enter opens, x chooses, c claims, u goes back, / searches, ? helps. They are listed on the page
// (keys.html), do nothing while somebody types, and leave every combination with Ctrl, Alt or Meta to the browser.
const help = document.getElementById("keys-help");

function rows() {
  return [...document.querySelectorAll("#rows [data-row]")];
}

function current() {
  return document.activeElement?.closest?.("[data-row]") || null;
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
  const link = next.querySelector("[data-open]");
  link.focus();
  link.scrollIntoView({ block: "nearest" });
}

function follow(selector) {
  const link = document.querySelector(selector);
  if (link) link.click();
}

function claim() {
  const row = current();
  const form = document.querySelector("[data-claim]");
  if (form) form.requestSubmit();
  else if (row) {
    // From the list: the address of the row is the address of the report, and its form asks for the same token.
    const list = document.querySelector("[data-list]");
    const made = document.createElement("form");
    const link = new URL(row.querySelector("[data-open]").href);
    made.method = "post";
    made.action = `${link.pathname}claim/${link.search}`;
    made.append(list.querySelector("[name=csrfmiddlewaretoken]").cloneNode());
    document.body.append(made);
    made.submit();
  }
}

const KEYS = {
  j: () => (rows().length ? step(1) : follow("[data-key-next]")),
  k: () => (rows().length ? step(-1) : follow("[data-key-previous]")),
  x: () => {
    const box = current()?.querySelector("input[name=report]");
    if (box) box.click();
  },
  c: claim,
  u: () => follow("a.back"),
  "/": () => document.querySelector("[data-search]")?.focus(),
  "?": () => help?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || help?.open) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], [data-map]")) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
