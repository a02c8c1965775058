// The fifteen minutes of an open key: a warning two minutes before, a button that begins them anew, and at the end what was
// open leaves the screen. What somebody has typed stays. Without this file a note beside the form says the same.
const box = document.querySelector("[data-idle]");

function say(part) {
  for (const name of ["soon", "over"]) box.querySelector(`[data-idle-${name}]`).hidden = name !== part;
  box.querySelector("form").hidden = part === "over";
  box.querySelector("[data-idle-box]").hidden = part === null;
}

if (box) {
  const warn = Number(box.dataset.warn) * 1000;
  const idle = Number(box.dataset.idle) * 1000;
  let begun = Date.now();
  let timer;

  const close = () => {
    for (const part of document.querySelectorAll("[data-opened]")) part.replaceChildren();
    say("over");
  };

  // By the clock rather than by one long timer: a computer that slept has not waited.
  const look = () => {
    const past = Date.now() - begun;
    if (past >= idle) {
      close();
      return;
    }
    say(past >= warn ? "soon" : null);
    timer = setTimeout(look, Math.min(past < warn ? warn - past : idle - past, 5000));
  };

  box.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await fetch(box.dataset.stay, { method: "POST", body: new FormData(event.target) }).catch(() => null);
    if (answer?.status === 204) {
      begun = Date.now();
      clearTimeout(timer);
      look();
    } else if (answer) {
      clearTimeout(timer);
      close();
    }
  });
  look();
}
