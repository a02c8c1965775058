// The marks of the desk's map: a report is a disc, several are a disc with their number and a ring of their topics.
import { isDark } from "./basemap.js";

const { L } = window;
const HUES = {
  red: "#a8322d", orange: "#a94f12", amber: "#8a6200", green: "#3c6f2f", teal: "#17695d", blue: "#28608f", indigo: "#4a4f96", purple: "#74457a", pink: "#a03a68", grey: "#5d5a55",
};
const numbers = new Intl.NumberFormat("en", { notation: "compact" });
export const NEW = "#d79a2b";
export const ALIKE = "#c2410c";

function hex(colour) {
  return HUES[colour] || (/^#[0-9a-f]{3,8}$/i.test(colour || "") ? colour : HUES.teal);
}

// Leaflet draws circles on the canvas; what is in them is drawn here.
const Disc = L.CircleMarker.extend({
  _updatePath() {
    L.CircleMarker.prototype._updatePath.call(this);
    const { _renderer: renderer, _point: at, options } = this;
    if (!renderer._drawing || !renderer._ctx || this._empty()) return;
    const context = renderer._ctx;
    context.save();
    context.globalAlpha = 1;
    if (options.count > 1) {
      let from = -Math.PI / 2;
      context.lineWidth = 4;
      for (const [colour, n] of options.colours) {
        const to = from + (2 * Math.PI * n) / options.count;
        context.strokeStyle = hex(colour);
        context.beginPath();
        context.arc(at.x, at.y, options.radius - 2, from, to);
        context.stroke();
        from = to;
      }
      context.fillStyle = isDark() ? "#f2ebe0" : "#26211b";
      context.font = "650 13px system-ui, sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(numbers.format(options.count), at.x, at.y + 1);
    }
    if (options.isNew) {
      context.strokeStyle = NEW;
      context.lineWidth = 3.5;
      context.beginPath();
      context.arc(at.x, at.y, options.radius + 4.5, 0, 2 * Math.PI);
      context.stroke();
    }
    context.restore();
  },
});

export function discOf(mark, isNew) {
  const several = mark.count > 1;
  const paper = isDark() ? "#221e1a" : "#fffdf9";
  return new Disc(mark.at, {
    count: mark.count, colours: mark.colours, isNew, radius: several ? Math.min(13 + 2.4 * Math.log2(mark.count), 30) : 9,
    color: several && isDark() ? "#110f0c" : paper, weight: 2.5, fillColor: several ? paper : hex(mark.colours[0]?.[0]), fillOpacity: several ? 0.95 : 0.93,
  });
}

// What a mark says when it is chosen; every text is set as text, for people wrote some of them.
export function sayingOf(mark, texts, act) {
  const box = document.createElement("div");
  const line = (tag, text) => { if (text) box.append(Object.assign(document.createElement(tag), { textContent: text })); };
  if (mark.url) {
    box.append(Object.assign(document.createElement("a"), { href: mark.url, textContent: mark.title, dir: "auto" }));
    line("p", `${mark.topics} · ${mark.states}`);
    line("p", [mark.place, mark.when].filter(Boolean).join(" · "));
    return box;
  }
  line("strong", texts.textReports.replace("{n}", mark.count));
  line("p", mark.states);
  line("p", mark.topics);
  const button = (text, go) => {
    const one = Object.assign(document.createElement("button"), { type: "button", className: "button button-secondary button-small", textContent: text });
    one.addEventListener("click", go);
    box.append(one);
  };
  if (act.closer) button(texts.textCloser, act.closer);
  if (mark.box) button(texts.textThese, act.choose);
  return box;
}
