// Choosing on the desk's map: an area drawn by hand, or all in view. The area goes to the server in a form, which finds
// the reports in it among those that this person may see, and answers with the panel.
const { L } = window;
// Pixels between two corners: a hand is no finer.
const STEP = 5;
const GESTURES = ["dragging", "touchZoom", "doubleClickZoom", "scrollWheelZoom", "boxZoom"];

export function chooser(map, root) {
  const panel = root.querySelector("[data-selection]");
  let shape = null;

  function drop() {
    shape?.remove();
    shape = null;
    panel.hidden = true;
    panel.replaceChildren();
  }

  async function choose(ring) {
    shape?.remove();
    shape = L.polygon(ring, { color: "#a4471d", weight: 2.5, fillOpacity: 0.08, interactive: false }).addTo(map);
    const form = new FormData();
    form.set("csrfmiddlewaretoken", root.querySelector("[name=csrfmiddlewaretoken]").value);
    form.set("area", JSON.stringify(ring.map(({ lat, lng }) => [Number(lng.toFixed(6)), Number(lat.toFixed(6))])));
    if (root.dataset.q) form.set("q", root.dataset.q);
    let said = "";
    try {
      const answer = await fetch(root.dataset.select, { method: "POST", body: form, headers: { "HX-Request": "true" } });
      if (answer.headers.get("HX-Redirect")) return location.assign(answer.headers.get("HX-Redirect"));
      if (answer.headers.get("Content-Type")?.startsWith("text/html") && (answer.ok || [400, 422].includes(answer.status))) said = await answer.text();
    } catch {
      // Without a network the sentence below says so.
    }
    panel.hidden = false;
    if (said) panel.innerHTML = said;
    else panel.textContent = root.dataset.textFailed;
    ready();
    panel.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  }

  function ready() {
    panel.querySelector("[data-drop]")?.addEventListener("click", () => { drop(); root.querySelector("[data-lasso]").focus(); });
    const form = panel.querySelector("[data-chosen-form]");
    if (!form) return;
    const boxes = [...form.querySelectorAll("input[name=report]")];
    const count = form.querySelector("[data-chosen-count]");
    const tell = () => { if (count) count.textContent = count.dataset.text.replace("{n}", boxes.filter((box) => box.checked).length); };
    for (const box of boxes) box.checked = true;
    form.addEventListener("change", tell);
    tell();
  }

  return { choose, drop };
}

export function lasso(map, root, choose) {
  const box = map.getContainer();
  const button = root.querySelector("[data-lasso]");
  const status = root.querySelector("[data-lasso-status]");
  let line = null;
  let pointer = null;
  let last = null;

  function set(armed, said) {
    button.setAttribute("aria-pressed", String(armed));
    box.classList.toggle("is-lasso", armed);
    status.textContent = said;
    for (const name of GESTURES) map[name]?.[armed ? "disable" : "enable"]();
    if (!armed) {
      line?.remove();
      line = pointer = null;
    }
  }
  const isArmed = () => button.getAttribute("aria-pressed") === "true";

  // Before Leaflet hears of it: a finger that draws must not move the map.
  function on(kind, act) {
    box.addEventListener(kind, (event) => {
      if (!isArmed() || event.target.closest(".leaflet-control")) return;
      event.preventDefault();
      event.stopPropagation();
      act(event);
    }, { capture: true, passive: false });
  }
  on("pointerdown", (event) => {
    // A second finger, or a second button, draws nothing of its own.
    if (pointer !== null || event.button > 0) return;
    pointer = event.pointerId;
    box.setPointerCapture(pointer);
    last = map.mouseEventToContainerPoint(event);
    line = L.polyline([map.containerPointToLatLng(last)], { color: "#a4471d", weight: 2.5, dashArray: "6 5", interactive: false }).addTo(map);
  });
  on("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const at = map.mouseEventToContainerPoint(event);
    if (at.distanceTo(last) < STEP) return;
    last = at;
    line.addLatLng(map.containerPointToLatLng(at));
  });
  on("pointerup", (event) => {
    if (event.pointerId !== pointer) return;
    const ring = line.getLatLngs();
    const isArea = ring.length > 2;
    set(!isArea, isArea ? "" : root.dataset.textDrawing);
    line?.remove();
    line = pointer = null;
    if (isArea) choose(ring);
  });
  on("pointercancel", () => set(false, root.dataset.textStopped));
  for (const kind of ["mousedown", "touchstart", "click", "dblclick"]) on(kind, () => {});

  button.addEventListener("click", () => {
    const armed = !isArmed();
    set(armed, armed ? root.dataset.textDrawing : "");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isArmed()) return;
    set(false, root.dataset.textStopped);
    button.focus();
  });
}
