// Play the periods under a map. The bars are links that do the same without a script, one page for each.
const SAID_EVERY = 2500; // milliseconds: a screen reader shall not be talked over

export function playback(section, show, prepare) {
  const bars = [...section.querySelectorAll(".bars a")];
  const range = section.querySelector("input[type=range]");
  const play = section.querySelector("[data-play]");
  const all = section.querySelector("[data-play-all]");
  const now = section.querySelector("[data-play-now]");
  const said = section.querySelector("[data-play-said]");
  const speed = section.querySelector("[data-play-speed]");
  const scroller = section.querySelector(".bars-scroll");
  const [playText, pauseText] = [play.textContent, play.dataset.textPause];
  const before = bars.findIndex((bar) => bar.hasAttribute("aria-current"));
  let timer = 0;
  let playing = false;
  let saidAt = 0;
  let shown = -1;

  section.querySelector("[data-play-tools]").hidden = false;
  section.classList.add("is-played");
  // The slider does the same with the keyboard, in one stop instead of sixty.
  for (const bar of bars) bar.tabIndex = -1;

  function mark(index) {
    bars.forEach((bar, at) => (at === index ? bar.setAttribute("aria-current", "true") : bar.removeAttribute("aria-current")));
    const text = index < 0 ? "" : bars[index].textContent.trim();
    now.textContent = text;
    if (index >= 0) {
      range.value = String(index);
      range.setAttribute("aria-valuetext", text);
      const [bar, frame] = [bars[index].getBoundingClientRect(), scroller.getBoundingClientRect()];
      if (bar.left < frame.left) scroller.scrollLeft -= frame.left - bar.left;
      if (bar.right > frame.right) scroller.scrollLeft += bar.right - frame.right;
    }
    if (!playing || Date.now() - saidAt > SAID_EVERY) {
      said.textContent = text;
      saidAt = Date.now();
    }
  }

  async function go(index) {
    shown = index;
    mark(index);
    all.hidden = index < 0;
    await show(index < 0 ? null : bars[index].dataset, playing);
  }

  function stop() {
    playing = false;
    clearTimeout(timer);
    play.textContent = playText;
  }

  async function step() {
    const at = shown + 1;
    const wait = new Promise((resolve) => { timer = setTimeout(resolve, Number(speed.value)); });
    await Promise.all([go(at), wait]);
    if (!playing) return;
    if (at === bars.length - 1) stop();
    else {
      prepare(bars[Math.min(at + 1, bars.length - 1)].dataset);
      step();
    }
  }

  play.addEventListener("click", () => {
    if (playing) {
      stop();
      return;
    }
    playing = true;
    play.textContent = pauseText;
    // Whoever plays at the end means from the beginning.
    if (shown >= bars.length - 1) shown = -1;
    step();
  });
  range.addEventListener("input", () => { stop(); go(Number(range.value)); });
  all.addEventListener("click", () => { stop(); go(-1); if (before >= 0) mark(before); play.focus(); });
  bars.forEach((bar, index) => bar.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    stop();
    go(index);
  }));
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); });
}
