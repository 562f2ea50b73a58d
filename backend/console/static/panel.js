// The panel beside the map: totals, newest coupons, reasons. It only shows what it is handed.

import { count, couponState, hasEnded, lifeLeft, money, percent, timeLeft, words } from "./format.js";

const SHOWN_COUPONS = 60;
const $ = (id) => document.getElementById(id);

/** An element with a class, text and children; the only way these pages make one. */
export function element(name, className = "", text = null, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== null) made.textContent = text;
  made.append(...children);
  return made;
}

/** Money that fits a tile: without cents from a thousand on. */
const sum = (minor, currency) => money(minor, currency, { whole: minor >= 100_000 });

export function showTotals(totals) {
  const dropped = Object.entries(totals.pushes_dropped ?? {});
  const droppedSum = dropped.reduce((all, [, n]) => all + n, 0);
  const share = totals.issued > 0 ? `${percent(totals.redeemed / totals.issued)} of issued` : "";
  const tiles = [
    ["Issued", count(totals.issued), `${count(totals.outstanding)} outstanding`],
    ["Push accepted", count(totals.pushes_accepted), droppedSum ? `${count(droppedSum)} dropped` : "none dropped",
      dropped.map(([reason, n]) => `${words(reason)}: ${n}`).join(", ")],
    ["Redeemed", count(totals.redeemed), share],
    ["Expired", count(totals.expired), "unused"],
    ["Spent", sum(totals.budget_spent_minor, totals.currency), "of the budget"],
    ["Reserved", sum(totals.budget_reserved_minor, totals.currency), "of the budget"],
  ];
  const list = $("totals");
  if (list.children.length !== tiles.length) {
    list.replaceChildren(...tiles.map(([name]) => element("div", "tile", null, element("dt", "", name),
      element("dd", "big"), element("dd", "faint"))));
  }
  tiles.forEach(([, big, small, title = ""], k) => {
    const [, value, note] = list.children[k].children;
    value.textContent = big;
    note.textContent = small;
    note.title = title;
  });
}

function couponRow(choose) {
  const button = element("button", "coupon");
  button.type = "button";
  const life = element("span", "life", null, element("i"));
  life.setAttribute("aria-hidden", "true");
  button.append(
    element("span", "what", null, element("b"), element("span", "less")), element("span", "pill"),
    element("span", "where"), element("span", "left"), life,
  );
  button.addEventListener("click", () => choose(button.dataset.store, { move: true }));
  return element("li", "", null, button);
}

function fillCoupon(row, coupon, names, now) {
  const button = row.firstChild;
  const [what, pill, where, left, life] = button.children;
  const shown = couponState(coupon, now);
  button.dataset.store = coupon.store_id;
  button.classList.toggle("over", hasEnded(coupon, now));
  what.firstChild.textContent = coupon.product_name;
  what.lastChild.textContent = ` −${money(coupon.discount_minor, coupon.currency)}`;
  where.textContent = names.get(coupon.store_id) ?? coupon.store_id;
  button.title = coupon.title ?? "";
  pill.textContent = words(shown);
  pill.dataset.state = shown;
  left.textContent = timeLeft(coupon, now);
  life.firstChild.style.transform = `scaleX(${lifeLeft(coupon, now)})`;
}

/** Rows are kept by coupon id, so that focus and scroll position survive every poll. */
export function showCoupons(live, choose) {
  const list = $("coupons");
  const rows = new Map([...list.children].map((row) => [row.dataset.id, row]));
  const names = new Map(live.stores.map((store) => [store.id, store.name]));
  const wanted = live.coupons.slice(0, SHOWN_COUPONS);
  const fresh = list.children.length > 0;
  wanted.forEach((coupon, k) => {
    let row = rows.get(coupon.id);
    if (!row) {
      row = couponRow(choose);
      row.dataset.id = coupon.id;
      if (fresh) row.classList.add("fresh");
    }
    rows.delete(coupon.id);
    fillCoupon(row, coupon, names, Date.parse(live.now));
    if (list.children[k] !== row) list.insertBefore(row, list.children[k] ?? null);
  });
  for (const row of rows.values()) row.remove();
  list.hidden = wanted.length === 0;
  $("coupons-none").hidden = wanted.length > 0;
  $("coupons-count").textContent = live.totals.issued > wanted.length ? `${wanted.length} of ${count(live.totals.issued)}` : "";
}

export function showWhy(decisions) {
  const all = Object.values(decisions).reduce((total, n) => total + n, 0);
  const reasons = Object.entries(decisions).filter(([reason, n]) => reason !== "offered" && n > 0);
  reasons.sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  const most = Math.max(1, ...reasons.map(([, n]) => n));
  const list = $("why");
  while (list.children.length > reasons.length) list.lastChild.remove();
  while (list.children.length < reasons.length) {
    const bar = element("span", "track", null, element("i"));
    bar.setAttribute("aria-hidden", "true");
    list.append(element("li", "", null, element("span", "name"), bar, element("span", "number")));
  }
  reasons.forEach(([reason, n], k) => {
    const [name, bar, number] = list.children[k].children;
    name.textContent = words(reason);
    name.title = words(reason);
    number.textContent = `${count(n)} · ${percent(n / all)}`;
    bar.firstChild.style.transform = `scaleX(${n / most})`;
  });
  $("why-none").hidden = all > 0;
  $("why-count").textContent = all ? `${count(decisions.offered ?? 0)} of ${count(all)} decisions gave an offer` : "";
}
