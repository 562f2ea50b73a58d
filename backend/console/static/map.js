// The map: MapLibre GL drawing local data only. Same interface as dots.js, which stands in where WebGL is missing.

import { boundsOf, fenceGeometry, rampColour, storeState, theme } from "./format.js";

const LOAD_MS = 12_000;
const NOTHING = { type: "FeatureCollection", features: [] };
const kind = (...kinds) => ["in", ["get", "kind"], ["literal", kinds]];
const byZoom = (...stops) => ["interpolate", ["exponential", 1.5], ["zoom"], ...stops];
const FONT = ["Inter", "Segoe UI", "Helvetica Neue", "Arial", "sans-serif"];

/** Every layer, bottom to top, in the colours `c`. */
function layers(c) {
  const line = (id, filter, colour, width, more = {}) => ({
    id, type: "line", source: "city", filter, layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": colour, "line-width": width, ...more },
  });
  const fill = (id, name, colour) => ({
    id, type: "fill", source: "city", filter: kind(name), paint: { "fill-color": colour },
  });
  return [
    { id: "ground", type: "background", paint: { "background-color": c.empty } },
    fill("land", "land", c.land),
    fill("park", "park", c.park),
    fill("water", "water", c.water),
    line("casing", kind("major", "minor"), c.casing, byZoom(10, 1.2, 13, 4, 16, 15)),
    line("rail", kind("rail"), c.rail, byZoom(10, 1, 13, 1.8, 16, 4), { "line-dasharray": [2.5, 1.6] }),
    line("minor", kind("minor"), c.road, byZoom(10, 0.4, 13, 2.2, 16, 11)),
    line("major", kind("major"), c.road, byZoom(10, 0.9, 13, 3.2, 16, 13)),
    {
      id: "names", type: "symbol", source: "city", filter: kind("district", "sea"), minzoom: 11.2,
      layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": byZoom(11, 10, 15, 14),
        "text-letter-spacing": 0.08, "text-max-width": 7 },
      paint: { "text-color": ["case", kind("sea"), c.sea, c.label], "text-halo-width": 1.2,
        "text-halo-color": ["case", kind("sea"), c.water, c.land] },
    },
    { id: "fences", type: "fill", source: "fences", paint: { "fill-color": c.fence, "fill-opacity": 0.045 } },
    {
      id: "fence-lines", type: "line", source: "fences",
      paint: { "line-color": ["case", ["get", "chosen"], c.accent, c.fence], "line-width": ["case", ["get", "chosen"], 2, 0.8],
        "line-opacity": ["case", ["get", "chosen"], 1, 0.35] },
    },
    {
      id: "out", type: "circle", source: "stores", filter: [">", ["get", "outstanding"], 0],
      paint: { "circle-radius": byZoom(10, 8, 12, 10.5, 13, 12.5, 16, 18), "circle-color": c.paper, "circle-stroke-color": c.accent,
        "circle-stroke-width": 2 },
    },
    {
      id: "stores", type: "circle", source: "stores",
      paint: { "circle-radius": byZoom(10, 5, 12, 7, 13, 9, 16, 14), "circle-color": ["get", "colour"],
        "circle-stroke-color": ["get", "edge"], "circle-stroke-width": ["case", ["get", "hollow"], 2, 1] },
    },
    {
      id: "paused", type: "symbol", source: "stores", filter: ["==", ["get", "state"], "paused"],
      layout: { "icon-image": c.dark ? "pause-dark" : "pause-light", "icon-size": byZoom(10, 0.3, 13, 0.5, 16, 0.9),
        "icon-allow-overlap": true, "icon-ignore-placement": true },
    },
    {
      id: "labels", type: "symbol", source: "stores", minzoom: 13.4,
      layout: { "text-field": ["get", "short"], "text-font": FONT, "text-size": 12, "text-anchor": "top",
        "text-offset": [0, 1.25], "text-optional": true, "text-max-width": 9 },
      paint: { "text-color": c.ink, "text-halo-color": c.halo, "text-halo-width": 1.4 },
    },
  ];
}

function pauseImage(colour) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 24;
  const pen = canvas.getContext("2d");
  pen.fillStyle = colour;
  pen.fillRect(6, 4, 4, 16);
  pen.fillRect(14, 4, 4, 16);
  return pen.getImageData(0, 0, 24, 24);
}

function storeFeature(store, c) {
  const state = storeState(store);
  const hollow = state === "closed" || state === "paused";
  const colour = hollow ? c.paper : state === "unknown" ? c.unknown : rampColour(store.utilisation);
  return {
    type: "Feature", geometry: { type: "Point", coordinates: [store.lng, store.lat] },
    properties: { id: store.id, short: store.name.replace(/^Lull /, ""), state, hollow, colour,
      edge: hollow ? c.unknown : c.edge, outstanding: store.outstanding || 0 },
  };
}

/** Waits for the map's worker; a policy or an old browser may keep it from ever starting. */
async function loaded(map) {
  let timer;
  const late = new Promise((_, fail) => { timer = setTimeout(fail, LOAD_MS, new Error("the map did not load in time")); });
  try {
    await Promise.race([new Promise((done) => map.once("load", done)), late]);
  } catch (error) {
    map.remove();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Draws into `box`; resolves to a view once the map can be drawn on. Rejects when WebGL 2 is missing. */
export async function createMap(box, { onSelect, onHover, dark, calm }) {
  const probe = document.createElement("canvas").getContext("webgl2");
  if (!probe) throw new Error("WebGL 2 is missing");
  probe.getExtension("WEBGL_lose_context")?.loseContext();
  const gl = await import("./vendor/maplibre-gl.mjs");
  let c = theme(dark);
  const source = () => ({ type: "geojson", data: NOTHING, tolerance: 0.1 });
  const sources = { city: source(), fences: source(), stores: source() };
  const map = new gl.Map({
    container: box, style: { version: 8, sources, layers: [] }, center: [0, 20], zoom: 1.5, attributionControl: false,
    dragRotate: false, pitchWithRotate: false, touchPitch: false, maxZoom: 18, fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new gl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new gl.ScaleControl({ maxWidth: 110 }), "bottom-right");
  map.getCanvas().setAttribute("aria-label", "Map of stores; every store is also in the list 'Show a store'");
  await loaded(map);
  map.addImage("pause-light", pauseImage(theme(false).ink), { pixelRatio: 1 });
  map.addImage("pause-dark", pauseImage(theme(true).ink), { pixelRatio: 1 });
  return new MapView(gl, map, c, { onSelect, onHover, calm });
}

class MapView {
  #gl; #map; #c; #calm; #stores = new Map(); #city = null; #chosen = null; #touched = false; #fitted = ""; #fenced = "";

  constructor(gl, map, colours, { onSelect, onHover, calm }) {
    this.#gl = gl;
    this.#map = map;
    this.#c = colours;
    this.#calm = calm;
    this.#paint();
    const at = (event) => map.queryRenderedFeatures(
      [[event.point.x - 5, event.point.y - 5], [event.point.x + 5, event.point.y + 5]], { layers: ["stores"] },
    )[0]?.properties.id ?? null;
    map.on("click", (event) => onSelect(at(event)));
    map.on("mousemove", (event) => {
      const id = at(event);
      map.getCanvas().style.cursor = id ? "pointer" : "";
      onHover(id, event.point);
    });
    map.on("mouseout", () => onHover(null, null));
    map.on("movestart", (event) => { if (event.originalEvent) this.#touched = true; });
    map.on("resize", () => { if (!this.#touched) this.#fit(); });
  }

  #paint() {
    for (const layer of this.#map.getStyle().layers) this.#map.removeLayer(layer.id);
    for (const layer of layers(this.#c)) this.#map.addLayer(layer);
    if (this.#city) this.#map.setPaintProperty("ground", "background-color", this.#c.water);
  }

  setTheme(dark) {
    this.#c = theme(dark);
    this.#paint();
    this.update([...this.#stores.values()]);
  }

  /** The background: a GeoJSON collection whose features carry `kind`; optional. */
  setCity(city) {
    this.#city = city;
    this.#map.getSource("city").setData(city);
    this.#map.setPaintProperty("ground", "background-color", this.#c.water);
  }

  update(stores) {
    this.#stores = new Map(stores.map((s) => [s.id, s]));
    const features = stores.map((s) => storeFeature(s, this.#c));
    this.#map.getSource("stores").setData({ type: "FeatureCollection", features });
    this.#drawFences();
    const ids = stores.map((s) => s.id).sort().join();
    if (ids !== this.#fitted && !this.#touched) {
      this.#fitted = ids;
      this.#fit();
    }
  }

  #drawFences() {
    const shapes = [...this.#stores.values()].map((s) => [s.id, s.lat, s.lng, s.radius_m, s.fence]);
    const drawn = JSON.stringify([this.#chosen, shapes]);
    if (drawn === this.#fenced) return;
    this.#fenced = drawn;
    const features = [...this.#stores.values()].map((s) => ({
      type: "Feature", properties: { id: s.id, chosen: s.id === this.#chosen }, geometry: fenceGeometry(s),
    }));
    this.#map.getSource("fences").setData({ type: "FeatureCollection", features: features.filter((f) => f.geometry) });
  }

  #fit() {
    if (!this.#stores.size) return;
    const box = this.#map.getContainer();
    const narrow = box.clientWidth < 620;
    const padding = narrow ? { top: 66, right: 30, bottom: 124, left: 30 } : { top: 48, right: 50, bottom: 60, left: 150 };
    this.#map.fitBounds(boundsOf([...this.#stores.values()]), { padding, maxZoom: 15, animate: false });
  }

  select(id, { move = false } = {}) {
    this.#chosen = id;
    this.#drawFences();
    const store = this.#stores.get(id);
    if (!store || !move) return;
    this.#touched = true;
    // On a phone the store's card lies over the middle of the map: the store goes below it.
    const offset = this.#map.getContainer().clientWidth < 620 ? [40, 108] : [60, 0];
    const zoom = Math.max(13.6, this.#map.getZoom());
    this.#map.easeTo({ center: [store.lng, store.lat], zoom, offset, duration: this.#calm() ? 0 : 500 });
  }

  pulse(id) {
    const store = this.#stores.get(id);
    if (!store) return;
    const element = document.createElement("div");
    element.className = "pulse";
    element.append(document.createElement("i"));
    const marker = new this.#gl.Marker({ element }).setLngLat([store.lng, store.lat]).addTo(this.#map);
    // Marker marks its element as an image for screen readers; a pulse is decoration.
    element.removeAttribute("aria-label");
    element.setAttribute("aria-hidden", "true");
    setTimeout(() => marker.remove(), 2400);
  }
}
