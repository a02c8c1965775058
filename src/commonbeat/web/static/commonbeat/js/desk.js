// Small conveniences of the desk: choose all, say how many are chosen, and ask before typed text is lost.
const list = document.querySelector("[data-list]");

if (list) {
  const boxes = () => [...list.querySelectorAll("input[name=report]")];
  const said = list.querySelector("[data-chosen]");
  const all = list.querySelector("[data-choose-all]");
  const plain = said?.textContent;
  const tell = () => {
    const count = boxes().filter((box) => box.checked).length;
    if (said) said.textContent = count ? `${plain} ${count}` : plain;
  };
  list.addEventListener("change", tell);
  // After a live refresh the rows are new ones.
  document.addEventListener("htmx:afterSwap", tell);
  if (all) {
    all.hidden = false;
    all.addEventListener("click", () => {
      const on = boxes().some((box) => !box.checked);
      for (const box of boxes()) box.checked = on;
      tell();
    });
  }
}

// A link to a closed part opens it and goes to its first field.
function open(target) {
  if (!(target instanceof HTMLDetailsElement)) return;
  target.open = true;
  target.querySelector("textarea, input:not([type=hidden]), select")?.focus();
}
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (link) setTimeout(() => open(document.getElementById(link.hash.slice(1))));
});
if (location.hash) open(document.getElementById(location.hash.slice(1)));

let leaving = false;
document.addEventListener("submit", () => { leaving = true; });
window.addEventListener("beforeunload", (event) => {
  const typed = [...document.querySelectorAll("main details textarea")].some((area) => area.value !== area.defaultValue);
  if (typed && !leaving) event.preventDefault();
});
