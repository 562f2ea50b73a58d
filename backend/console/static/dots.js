// The same picture as map.js in plain SVG, for browsers without WebGL 2: no zoom, no streets' names, all the facts.

import { boundsOf, fenceGeometry, rampColour, storeState, theme } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000;

function node(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Flat coordinates for a patch of the earth: metres squeezed by the cosine of the middle latitude. */
function projection([[west, south], [east, north]], ratio) {
  const squeeze = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const height = WIDTH / ratio;
  const scale = 0.86 * Math.min(WIDTH / ((east - west) * squeeze), height / (north - south));
  // On a wide stage the picture stands right of the middle, clear of the legend.
  const left = WIDTH * (ratio > 1 ? 0.56 : 0.5) - ((east + west) / 2) * squeeze * scale;
  const top = height / 2 + ((south + north) / 2) * scale;
  return { height, at: ([lng, lat]) => [left + lng * squeeze * scale, top - lat * scale] };
}

function path(geometry, at) {
  const line = (points) => points.map((p, k) => `${k ? "L" : "M"}${at(p).map((v) => v.toFixed(1)).join(" ")}`).join("");
  if (geometry.type === "LineString") return line(geometry.coordinates);
  const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  return polygons.map((rings) => rings.map((ring) => `${line(ring)}Z`).join("")).join("");
}

export function createDots(box, { onSelect, onHover, dark }) {
  return new DotsView(box, onSelect, onHover, theme(dark));
}

class DotsView {
  #box; #svg; #onSelect; #onHover; #c; #city = null; #stores = new Map(); #chosen = null; #project = null; #parts;

  constructor(box, onSelect, onHover, colours) {
    this.#box = box;
    this.#onSelect = onSelect;
    this.#onHover = onHover;
    this.#c = colours;
    this.#parts = { city: node("g"), fences: node("g"), stores: node("g"), pulses: node("g") };
    this.#svg = node("svg", { class: "dots", role: "group", "aria-label": "Map of stores" }, ...Object.values(this.#parts));
    box.replaceChildren(this.#svg);
    this.#svg.addEventListener("click", (event) => onSelect(event.target.dataset?.id ?? null));
    this.#svg.addEventListener("mousemove", (event) => {
      const frame = box.getBoundingClientRect();
      onHover(event.target.dataset?.id ?? null, { x: event.clientX - frame.left, y: event.clientY - frame.top });
    });
    this.#svg.addEventListener("mouseleave", () => onHover(null, null));
    new ResizeObserver(() => this.#frame()).observe(box);
  }

  setTheme(dark) {
    this.#c = theme(dark);
    this.#frame();
  }

  setCity(city) {
    this.#city = city;
    this.#frame();
  }

  update(stores) {
    const sameStores = stores.length === this.#stores.size && stores.every((s) => this.#stores.has(s.id));
    this.#stores = new Map(stores.map((s) => [s.id, s]));
    if (sameStores && this.#project) this.#draw();
    else this.#frame();
  }

  #frame() {
    if (!this.#stores.size || !this.#box.clientHeight) return;
    this.#project = projection(boundsOf([...this.#stores.values()]), this.#box.clientWidth / this.#box.clientHeight);
    this.#svg.setAttribute("viewBox", `0 0 ${WIDTH} ${this.#project.height}`);
    this.#svg.style.background = this.#city ? this.#c.water : this.#c.empty;
    this.#drawCity();
    this.#draw();
  }

  #drawCity() {
    const c = this.#c;
    const fills = { land: c.land, park: c.park, water: c.water };
    const lines = { minor: [c.road, 2], major: [c.road, 3.5], rail: [c.rail, 1.5] };
    const shapes = (this.#city?.features ?? []).map(({ properties, geometry }) => {
      if (fills[properties.kind]) return node("path", { d: path(geometry, this.#project.at), fill: fills[properties.kind] });
      const [stroke, width] = lines[properties.kind] ?? [];
      return stroke && node("path", { d: path(geometry, this.#project.at), fill: "none", stroke, "stroke-width": width });
    });
    this.#parts.city.replaceChildren(...shapes.filter(Boolean));
  }

  #draw() {
    const { at } = this.#project;
    const fences = [...this.#stores.values()].map((store) => {
      const geometry = fenceGeometry(store);
      const chosen = store.id === this.#chosen;
      return geometry && node("path", {
        d: path(geometry, at), fill: this.#c.fence, "fill-opacity": 0.045, "pointer-events": "none",
        stroke: chosen ? this.#c.accent : this.#c.fence, "stroke-opacity": chosen ? 1 : 0.35, "stroke-width": chosen ? 2.5 : 1,
      });
    });
    this.#parts.fences.replaceChildren(...fences.filter(Boolean));
    this.#parts.stores.replaceChildren(...[...this.#stores.values()].flatMap((store) => this.#dot(store, at)));
  }

  #dot(store, at) {
    const c = this.#c;
    const [cx, cy] = at([store.lng, store.lat]);
    const state = storeState(store);
    const hollow = state === "closed" || state === "paused";
    const fill = hollow ? c.paper : state === "unknown" ? c.unknown : rampColour(store.utilisation);
    const shapes = [];
    if (store.outstanding > 0) {
      shapes.push(node("circle", { cx, cy, r: 11.5, fill: c.paper, stroke: c.accent, "stroke-width": 2.2 }));
    }
    const dot = node("circle", { cx, cy, r: 8, fill, stroke: hollow ? c.unknown : c.edge, "stroke-width": hollow ? 2 : 1 });
    dot.dataset.id = store.id;
    shapes.push(dot);
    if (state === "paused") {
      const bars = `M${cx - 2.5} ${cy - 4}v8M${cx + 2.5} ${cy - 4}v8`;
      shapes.push(node("path", { d: bars, stroke: c.ink, "stroke-width": 2, "pointer-events": "none" }));
    }
    return shapes;
  }

  select(id) {
    this.#chosen = id;
    if (this.#project) this.#draw();
  }

  pulse(id) {
    const store = this.#stores.get(id);
    if (!store || !this.#project) return;
    const [cx, cy] = this.#project.at([store.lng, store.lat]);
    const ring = node("circle", { cx, cy, r: 14, class: "ring" });
    this.#parts.pulses.append(ring);
    setTimeout(() => ring.remove(), 2400);
  }
}
