// Alerts in this browser: asks for permission once the person has pressed the button for it, never before.
const form = document.querySelector("[data-push-form]");
const own = document.querySelector("[data-push-own]");
const can = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

const bytesOf = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

async function current() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  return registration?.pushManager ? registration.pushManager.getSubscription() : null;
}

async function subscribe(key) {
  await navigator.serviceWorker.register("/sw.js");
  const { pushManager } = await navigator.serviceWorker.ready;
  const wanted = bytesOf(key);
  const known = await pushManager.getSubscription();
  if (known) {
    const held = new Uint8Array(known.options.applicationServerKey || []);
    // One of another key can only be of this site before its secret was changed: nobody can write to it any more.
    if (held.length === wanted.length && held.every((byte, at) => byte === wanted[at])) return known;
    await known.unsubscribe();
  }
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: wanted });
}

function withPush() {
  const status = form.querySelector("[data-push-status]");
  const field = form.querySelector("[data-push-field]");
  form.addEventListener("submit", async (event) => {
    // "Change" and "Back" go on as they are.
    if (!event.submitter?.hasAttribute("data-push-send") || field.value) return;
    event.preventDefault();
    event.submitter.disabled = true;
    try {
      if (!can || (await Notification.requestPermission()) !== "granted") throw new DOMException("", "NotAllowedError");
      field.value = JSON.stringify(await subscribe(form.dataset.pushForm));
      form.submit();
    } catch (error) {
      status.textContent = error.name === "NotAllowedError" ? status.dataset.textDenied : status.dataset.textFailed;
      event.submitter.disabled = false;
    }
  });
}

if (form) withPush();
if (own && can) {
  current().then((known) => {
    if (!known) return;
    own.querySelector("[data-push-field]").value = JSON.stringify(known);
    own.hidden = false;
  }).catch(() => {});
}
if (document.querySelector("[data-push-end]") && can) current().then((known) => known?.unsubscribe()).catch(() => {});
const missing = document.querySelector("[data-push-missing]");
if (missing && !can) {
  missing.hidden = false;
  const choice = document.querySelector("input[name=how][value=push]");
  if (choice) {
    choice.disabled = true;
    const other = document.querySelector("input[name=how]:not([value=push])");
    if (choice.checked && other) other.checked = true;
  }
}
