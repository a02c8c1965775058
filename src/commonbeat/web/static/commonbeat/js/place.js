// The place step: shows the map, and notes how the point was found, so that the desk knows how far to trust it.
const map = document.querySelector("[data-place-map]");
const source = document.querySelector("[data-place-source]");
const typedFor = document.querySelector("[data-place-typed]");
const text = document.querySelector("#id_place_text");
const latitude = document.querySelector("#id_latitude");
const longitude = document.querySelector("#id_longitude");

if (map) {
  map.hidden = false;
  const first = [latitude.value, longitude.value].map(Number).join();
  let byDevice = false;
  map.addEventListener("click", (event) => { byDevice = Boolean(event.target.closest("[data-map-locate]")); }, true);
  longitude.addEventListener("change", () => {
    // The map sets the pin that the server sent, too: that is no choice of the reader.
    if ([latitude.value, longitude.value].map(Number).join() === first && source.value) return;
    source.value = byDevice ? "device" : "map";
    document.querySelector("[data-place-known]")?.remove();
    document.querySelector("input[name=match]")?.closest("fieldset").remove();
  });
  text.addEventListener("input", () => {
    // A name typed after the point was found by its name asks for a new search; a pin stays.
    if (!["map", "device"].includes(source.value)) typedFor.value = "";
    if (text.value.trim() === "" && ["named", "coordinates"].includes(source.value)) latitude.value = longitude.value = source.value = "";
  });
}
