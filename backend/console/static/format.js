// Pure helpers: numbers, words and colours for the eye. No DOM, no network.

const RAMP = [
  [0.0, [255, 229, 150]],
  [0.25, [250, 184, 105]],
  [0.5, [227, 113, 106]],
  [0.75, [155, 64, 130]],
  [1.0, [62, 32, 102]],
];

/** The colour of a utilisation (0 to 1): lightness falls all the way, so it reads without telling hues apart. */
export function rampColour(utilisation) {
  const u = Math.min(1, Math.max(0, utilisation));
  const i = Math.min(RAMP.length - 2, RAMP.findLastIndex(([at]) => at <= u));
  const [from, a] = RAMP[i];
  const [to, b] = RAMP[i + 1];
  const t = (u - from) / (to - from);
  return `rgb(${a.map((c, k) => Math.round(c + (b[k] - c) * t)).join(", ")})`;
}

export function rampGradient() {
  return `linear-gradient(to right, ${RAMP.map(([at, c]) => `rgb(${c.join(", ")}) ${at * 100}%`).join(", ")})`;
}

/** "closed", "paused", "unknown" or "known": what a store's dot says beside its colour. */
export function storeState(store) {
  if (store.paused) return "paused";
  if (!store.open) return "closed";
  return typeof store.utilisation === "number" ? "known" : "unknown";
}

export function percent(share) {
  return typeof share === "number" ? `${Math.round(share * 100)} %` : "unknown";
}

export function count(n) {
  return typeof n === "number" ? n.toLocaleString("en-GB") : "–";
}

/** Minor units as money, "€2.40"; `whole` drops the cents. A currency the browser does not know is written out. */
export function money(minor, currency, { whole = false } = {}) {
  if (typeof minor !== "number") return "–";
  try {
    const format = new Intl.NumberFormat("en-GB", { style: "currency", currency });
    const value = minor / 10 ** format.resolvedOptions().maximumFractionDigits;
    if (!whole) return format.format(value);
    return new Intl.NumberFormat("en-GB", { style: "currency", currency, maximumFractionDigits: 0 }).format(value);
  } catch {
    return `${minor} ${currency ?? ""}`.trim();
  }
}

const ENDED = new Set(["redeemed", "expired", "revoked", "rolled_back"]);

export function hasEnded(coupon, now) {
  return ENDED.has(coupon.state) || Date.parse(coupon.expires_at) <= now;
}

/** The state to show: a coupon past its end reads "expired" even before the ledger has swept it. */
export function couponState(coupon, now) {
  if (ENDED.has(coupon.state)) return coupon.state;
  return Date.parse(coupon.expires_at) <= now ? "expired" : coupon.state;
}

export function timeLeft(coupon, now) {
  if (hasEnded(coupon, now)) return "";
  const seconds = Math.round((Date.parse(coupon.expires_at) - now) / 1000);
  if (seconds < 60) return `${seconds} s left`;
  if (seconds < 3600 * 2) return `${Math.round(seconds / 60)} min left`;
  return `${Math.round(seconds / 3600)} h left`;
}

/** The share of a coupon's life that is still to come, 0 to 1. */
export function lifeLeft(coupon, now) {
  const start = Date.parse(coupon.issued_at);
  const end = Date.parse(coupon.expires_at);
  if (hasEnded(coupon, now) || !(end > start)) return 0;
  return Math.min(1, Math.max(0, (end - now) / (end - start)));
}

export function words(code) {
  return String(code).replaceAll("_", " ");
}

export function clockText(now, zone) {
  const hour = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: zone };
  const day = { weekday: "long", day: "numeric", month: "long", timeZone: zone };
  return [new Intl.DateTimeFormat("en-GB", hour).format(now), new Intl.DateTimeFormat("en-GB", day).format(now)];
}

/** The zone to write times in: the one the server names if the browser knows it, else UTC. */
export function zoneOf(name) {
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone: name });
    return name ?? "UTC";
  } catch {
    return "UTC";
  }
}

const EARTH_M = 6371008.8;

/** A store's fence as a GeoJSON geometry: as given, or a ring around its circle; null when neither is known. */
export function fenceGeometry(store) {
  if (store.fence && store.fence.type) return store.fence;
  if (typeof store.radius_m !== "number") return null;
  const dLat = ((store.radius_m / EARTH_M) * 180) / Math.PI;
  const dLng = dLat / Math.max(0.01, Math.cos((store.lat * Math.PI) / 180));
  const ring = Array.from({ length: 65 }, (_, k) => {
    const angle = (2 * Math.PI * (k % 64)) / 64;
    return [store.lng + dLng * Math.cos(angle), store.lat + dLat * Math.sin(angle)];
  });
  return { type: "Polygon", coordinates: [ring] };
}

/** [[west, south], [east, north]] of the stores, never empty. */
export function boundsOf(stores) {
  const lngs = stores.map((s) => s.lng);
  const lats = stores.map((s) => s.lat);
  return [
    [Math.min(...lngs) - 0.002, Math.min(...lats) - 0.001],
    [Math.max(...lngs) + 0.002, Math.max(...lats) + 0.001],
  ];
}

const LIGHT = {
  dark: false, empty: "#f3f1ea", water: "#d6e4ea", land: "#f5f2ea", park: "#e3ead7", road: "#ffffff", casing: "#d9d1bf",
  rail: "#cfc8ba", label: "#7d8077", sea: "#7f9dab", ink: "#22313a", halo: "#fbfaf6", unknown: "#a3a9ab", paper: "#fdfcf9",
  accent: "#0b6e6a", edge: "#4d4650", fence: "#5b6a72",
};
const DARK = {
  dark: true, empty: "#1c2529", water: "#121b21", land: "#212b30", park: "#253229", road: "#37444a", casing: "#1b2428",
  rail: "#46525a", label: "#93a0a5", sea: "#56707d", ink: "#e8ecec", halo: "#182126", unknown: "#7c868a", paper: "#1a2328",
  accent: "#5cc9bf", edge: "#f0e9dc", fence: "#a7b4ba",
};

/** The map's colours. */
export function theme(dark) {
  return dark ? DARK : LIGHT;
}
