// When a passkey cannot be used, say so; allauth's own scripts do the rest and tell of trouble by an event.
const told = document.querySelector("[data-passkey-error]");
if (told) {
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    told.hidden = false;
    told.focus();
  });
}
