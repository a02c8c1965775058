// What is typed into the report form is remembered in this tab alone, and given back when the page is loaded again. It is
// gone with the tab, with "Exit this page", and when the report has been sent; "back" then leads to an empty form.
const form = document.querySelector("[data-report-form]");
const name = form && `draft:${form.dataset.topic}`;
const TYPED = "textarea, input[type=text], input[type=tel], input[type=date]";

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(name) || "{}");
  } catch {
    return {};
  }
}

function remember() {
  const typed = read();
  for (const field of form.querySelectorAll(TYPED)) typed[field.name] = field.value;
  try {
    sessionStorage.setItem(name, JSON.stringify(typed));
  } catch {
    // Full or switched off: the form works without.
  }
}

// A step that comes back from the browser's memory after everything was forgotten shows none of it.
function isForgotten() {
  try {
    return sessionStorage.getItem(name) === null;
  } catch {
    return false;
  }
}

function startAnew() {
  form.remove();
  location.replace(form.dataset.start);
}

if (form) {
  const isBack = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  if (isBack && isForgotten() && !form.hasAttribute("data-first")) startAnew();
  addEventListener("pageshow", (event) => { if (event.persisted && isForgotten()) startAnew(); });
  const typed = read();
  for (const field of form.querySelectorAll(TYPED)) {
    // What the server sent back is newer than what the tab remembers.
    if (!field.value && typed[field.name] && !form.elements.returns) field.value = typed[field.name];
  }
  remember();
  form.addEventListener("input", remember);
  const day = form.querySelector("#id_day");
  if (day) {
    const fit = () => { day.closest(".field").hidden = form.elements.when.value !== "date" && !day.value; };
    form.addEventListener("change", fit);
    fit();
  }
}
