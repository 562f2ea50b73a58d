// The console page: polls /console/live.json and shows it. Text that came from data is only ever set as textContent.

import { clockText, percent, rampColour, rampGradient, storeState, zoneOf } from "./format.js";
import { element, showCoupons, showTotals, showWhy } from "./panel.js";

const POLL_MS = 1000;
const TIMEOUT_MS = 5000;
const MOST_PULSES = 25;
const $ = (id) => document.getElementById(id);
const darkQuery = matchMedia("(prefers-color-scheme: dark)");
const calmQuery = matchMedia("(prefers-reduced-motion: reduce)");

const state = {
  key: "", live: null, view: null, chosen: null, hovered: null, seen: null, ids: new Set(), failures: 0, previous: null, told: 0,
};

const storeOf = (id) => state.live?.stores.find((store) => store.id === id);
const nowOf = (live) => Date.parse(live.now);

// --- the server -----------------------------------------------------------------------------------------------------

async function ask(path, options = {}) {
  const response = await fetch(path, {
    ...options, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { Authorization: `Bearer ${state.key}`, Accept: "application/json", ...options.headers },
  });
  if (!response.ok) {
    const error = new Error(`The server answered ${response.status}.`);
    error.status = response.status;
    throw error;
  }
  return response;
}

async function poll() {
  const after = state.live ? `?after=${encodeURIComponent(state.live.seq)}` : "";
  try {
    const live = await (await ask(`/console/live.json${after}`)).json();
    state.failures = 0;
    connection("ok", "live");
    show(live);
  } catch (error) {
    if (error.status === 401 || error.status === 403) return needKey("The server did not accept this key.");
    state.failures += 1;
    connection("lost", "connection lost, retrying");
  }
  setTimeout(poll, Math.min(10_000, POLL_MS * 2 ** Math.min(4, state.failures)));
}

function connection(kind, text) {
  const box = $("connection");
  if (box.dataset.state === kind && box.textContent === text) return;
  box.dataset.state = kind;
  box.textContent = text;
}

function needKey(why) {
  connection("lost", "not connected");
  if (why) $("ask-why").textContent = why;
  $("ask").hidden = false;
  $("pause").disabled = true;
  $("key").focus();
}

function start(key) {
  state.key = key;
  $("ask").hidden = true;
  connection("wait", "connecting");
  poll();
}

// --- one picture ----------------------------------------------------------------------------------------------------

function show(live) {
  const before = state.live;
  state.live = live;
  showClock(live);
  showTotals(live.totals);
  showCoupons(live, choose);
  showWhy(live.totals.decisions);
  showFinder(live.stores);
  showDetail();
  showPause(live);
  state.view?.update(live.stores);
  if (before) for (const coupon of newCoupons(live).slice(0, MOST_PULSES)) state.view?.pulse(coupon.store_id);
  state.seen = Math.max(0, state.seen ?? 0, ...live.coupons.map((coupon) => coupon.seq));
  state.ids = new Set(live.coupons.map((coupon) => coupon.id));
  tell(live);
}

function newCoupons(live) {
  const fresh = (coupon) => coupon.seq > (state.seen ?? Infinity) && !state.ids.has(coupon.id);
  return live.coupons.filter((coupon) => fresh(coupon) && coupon.state !== "expired");
}

function showClock(live) {
  const zone = zoneOf(live.time_zone);
  const [clock, day] = clockText(nowOf(live), zone);
  $("clock").textContent = clock;
  $("clock").dateTime = live.now;
  $("date").textContent = `${day}, ${zone}`;
  const real = performance.now();
  if (!state.previous || real - state.previous.real > 8000) {
    if (state.previous) showRate((nowOf(live) - state.previous.now) / (real - state.previous.real));
    state.previous = { real, now: nowOf(live) };
  }
}

function showRate(rate) {
  const fast = rate > 1.5;
  $("rate").hidden = !fast;
  if (fast) $("rate").textContent = `${Math.round(rate)} × real time`;
}

// --- stores ---------------------------------------------------------------------------------------------------------

function showFinder(stores) {
  const finder = $("finder");
  const sorted = [...stores].sort((a, b) => a.name.localeCompare(b.name));
  const ids = sorted.map((store) => store.id).join();
  if (finder.dataset.ids === ids) return;
  finder.dataset.ids = ids;
  finder.length = 1;
  finder.append(...sorted.map((store) => new Option(store.name, store.id)));
  finder.value = state.chosen ?? "";
}

function choose(id, options) {
  state.chosen = id;
  $("finder").value = id ?? "";
  state.view?.select(id, options);
  showDetail();
}

function stateWords(store) {
  const shown = storeState(store);
  if (shown === "known") return "open";
  return shown === "unknown" ? "open, utilisation unknown" : shown;
}

function buildDetail(box) {
  const close = element("button", "close", "×");
  close.type = "button";
  close.setAttribute("aria-label", "Close");
  close.addEventListener("click", () => choose(null));
  const pause = element("button", "button plain small");
  pause.type = "button";
  pause.addEventListener("click", () => pauseStore(storeOf(state.chosen)));
  const meter = element("div", "meter", null, element("i", "fill"), element("i", "mark"));
  meter.setAttribute("aria-hidden", "true");
  const facts = element("dl", "facts");
  for (const name of ["Utilisation", "Target", "Queue", "Staff", "Coupons out"]) {
    facts.append(element("div", "", null, element("dt", "", name), element("dd")));
  }
  box.replaceChildren(close, element("h2"), element("p", "faint"), meter, facts, pause);
}

function showDetail() {
  const box = $("detail");
  const store = storeOf(state.chosen);
  box.hidden = !store;
  if (!store) return;
  if (!box.children.length) buildDetail(box);
  const [, title, sub, meter, facts, pause] = box.children;
  const known = typeof store.utilisation === "number";
  title.textContent = store.name;
  sub.textContent = stateWords(store);
  const [fill, mark] = meter.children;
  fill.style.transform = `scaleX(${known ? Math.min(1, store.utilisation) : 0})`;
  fill.style.background = known ? rampColour(store.utilisation) : "";
  mark.hidden = typeof store.target !== "number";
  mark.style.left = `${(store.target ?? 0) * 100}%`;
  const values = [percent(store.utilisation), percent(store.target), store.queue_length, store.staff, store.outstanding];
  values.forEach((value, k) => { facts.children[k].lastChild.textContent = value ?? "unknown"; });
  pause.textContent = store.paused ? "Resume this store" : "Pause this store";
}

function showTip(id, point) {
  const store = id && storeOf(id);
  const tip = $("tip");
  tip.hidden = !store;
  if (!store) return;
  if (state.hovered !== id || !tip.children.length) tip.replaceChildren(element("b"), element("span"));
  state.hovered = id;
  tip.firstChild.textContent = store.name;
  const known = storeState(store) === "known";
  tip.lastChild.textContent = known ? `${percent(store.utilisation)} in use, target ${percent(store.target)}` : stateWords(store);
  const width = $("map").clientWidth;
  tip.style.transform = `translate(${Math.min(point.x + 14, width - tip.offsetWidth - 8)}px, ${point.y + 14}px)`;
}

// --- pause and resume -----------------------------------------------------------------------------------------------

const allPaused = (live) => live.stores.length > 0 && live.stores.every((store) => store.paused);

function showPause(live) {
  const button = $("pause");
  const paused = allPaused(live);
  button.disabled = false;
  button.textContent = paused ? "Resume all" : "Pause all";
  button.classList.toggle("stop", !paused);
}

async function confirmed(title, text, yes) {
  const dialog = $("confirm");
  $("confirm-title").textContent = title;
  $("confirm-text").textContent = text;
  $("confirm-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
  return dialog.returnValue === "yes";
}

async function send(path, body, said) {
  try {
    await ask(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
    $("news").textContent = said;
  } catch (error) {
    const why = error.status ? error.message : "The server could not be reached.";
    await confirmed("That did not work", `${why} Nothing was changed by this page; look again before trying once more.`, "OK");
  }
}

async function pauseAll() {
  const paused = allPaused(state.live);
  const n = state.live.stores.length;
  const agreed = paused
    ? await confirmed("Resume every store?", `Offers start again in all ${n} stores that are open and quiet.`, "Resume all")
    : await confirmed("Pause every store?", `No new coupon is issued in any of the ${n} stores until you resume.`, "Pause all");
  if (agreed) await send(paused ? "/v1/resume" : "/v1/pause", {}, paused ? "All stores resumed." : "All stores paused.");
}

async function pauseStore(store) {
  if (!store) return;
  const verb = store.paused ? "Resume" : "Pause";
  const text = store.paused ? "Offers start again here whenever it is quiet." : "No new coupon is issued here until you resume.";
  if (!(await confirmed(`${verb} ${store.name}?`, text, verb))) return;
  await send(`/v1/${verb.toLowerCase()}`, { store_id: store.id }, `${store.name}: ${verb.toLowerCase()}d.`);
}

/** A sentence for screen readers, at most every 20 seconds. */
function tell(live) {
  if (performance.now() - state.told < 20_000) return;
  state.told = performance.now();
  const { issued, redeemed, outstanding } = live.totals;
  $("news").textContent = `${issued} coupons issued, ${redeemed} redeemed, ${outstanding} outstanding.`;
}

// --- beginning ------------------------------------------------------------------------------------------------------

async function makeView() {
  const options = {
    dark: darkQuery.matches, calm: () => calmQuery.matches, onSelect: (id) => choose(id), onHover: showTip,
  };
  try {
    const { createMap } = await import("./map.js");
    state.view = await createMap($("map"), options);
  } catch {
    const { createDots } = await import("./dots.js");
    state.view = createDots($("map"), options);
  }
  darkQuery.addEventListener("change", (event) => state.view.setTheme(event.matches));
  if (state.live) state.view.update(state.live.stores);
  if (state.chosen) state.view.select(state.chosen);
}

async function loadCity() {
  try {
    state.view.setCity(await (await ask("/console/city.json")).json());
  } catch {
    // The background is optional: without it the stores stand on a plain ground.
  }
}

$("ramp").style.background = rampGradient();
$("pause").addEventListener("click", pauseAll);
$("finder").addEventListener("change", (event) => choose(event.target.value || null, { move: true }));
$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const key = $("key").value.trim();
  $("key").value = "";
  if (key) start(key);
  if (state.view) loadCity();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && state.chosen && !$("confirm").open) choose(null);
});

addEventListener("hashchange", () => location.reload());

const fragment = new URLSearchParams(location.hash.slice(1)).get("key");
if (fragment) start(fragment);
else needKey("");
makeView().then(() => state.key && loadCity());
