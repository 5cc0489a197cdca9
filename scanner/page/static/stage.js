// What stands beside the keypad: who signs in, waiting, the card, what came of it.

import { button, el } from "/static/dom.js";
import { money, moment, number, outcome, points, word } from "/static/words.js";

const SVG = "http://www.w3.org/2000/svg";

/** A phone that shows a code, drawn. */
function phone() {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("viewBox", "0 0 64 64");
  drawn.setAttribute("class", "glyph");
  drawn.setAttribute("aria-hidden", "true");
  const parts = [
    ["rect", { x: 17, y: 4, width: 30, height: 56, rx: 6, fill: "none", stroke: "currentColor", "stroke-width": 3 }],
    ["path", { d: "M24 20h6v6h-6zM34 20h6v6h-6zM24 30h6v6h-6zM34 30h2.500v2.500H34zM37.500 33.500H40V36h-2.500zM37.500 30H40v2h-2.500zM34 34h2v2h-2z", fill: "currentColor" }],
    ["path", { d: "M28 54h8", stroke: "currentColor", "stroke-width": 3, "stroke-linecap": "round" }],
  ];
  for (const [kind, attributes] of parts) {
    const part = document.createElementNS(SVG, kind);
    for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
    drawn.append(part);
  }
  return drawn;
}

export function locked(view, chosen, choose) {
  const names = view.names ?? [];
  const tiles = names.map((name) =>
    button(name, () => choose(name), { "aria-pressed": String(name === chosen.name), "data-key": `name-${name}` }));
  const other = el("div.field", {},
    el("label.label", { for: "other-name" }, word(names.length ? "other_name" : "name")),
    el("input", {
      id: "other-name", "data-key": "other-name", maxlength: 80, autocomplete: "off", spellcheck: "false",
      value: names.includes(chosen.name) ? "" : chosen.name, oninput: (event) => choose(event.target.value, true),
    }));
  const waits = view.card_waits && !view.self_service && el("p.seen", {}, word("card_waits"));
  return [waits, el("h2", {}, word("who")), el("div.names", {}, tiles), other];
}

export function waiting(view, actions, secondsLeft) {
  const has = view.sale.amount_minor != null;
  const shown = el("div.await", {}, phone(),
    el("h2", {}, word("hold_here")),
    el("p", {}, has ? money(view.sale.amount_minor) : word("waiting_hint")));
  return [shown, recent(view, actions, secondsLeft)];
}

/** The last result, small, with its undo while it lasts. */
function recent(view, actions, secondsLeft) {
  if (!view.done) return null;
  const said = outcome(view.done.told, view.done.facts);
  return el("div.recent", {},
    el("p", {}, el("small", {}, word("last")), said.title),
    secondsLeft > 0 && button(word("undo_seconds", { seconds: secondsLeft }), actions.undo, { "data-key": "undo" }));
}

export function card(view, actions, chosen) {
  const shown = view.card;
  const name = shown.name ?? word(shown.kind === "printed" ? "printed_card" : "member");
  return [
    shown.vip && el("p.vip", {}, word("vip")),
    shown.note && el("p.vip", {}, shown.note),
    el(`div.person${name.length > 14 ? ".long" : ""}`, {},
      el("div.named", {}, el("h2", {}, name), shown.tier && el("span.tier", {}, shown.tier)),
      el("button.away", { type: "button", onclick: actions.putAway, "data-key": "away", "aria-label": word("put_away") }, "✕")),
    balance(shown),
    stamps(shown),
    rewards(shown, view, actions),
    redeeming(shown, view, actions, chosen),
  ];
}

function balance(shown) {
  if (shown.asking) return el("p.balance.calm", {}, word("asking"));
  const known = shown.known ? shown.balance : shown.last_known?.balance;
  if (known == null) return el("p.balance", {}, word("verified_here"), " ", el("span.calm", {}, word("needs_network")));
  const [figure, ...label] = points(known).split("\u00a0").length > 1 ? split(points(known)) : [number(known)];
  return el("div.balance", {},
    el("span.label", {}, word("balance")),
    el("b", {}, figure, " ", el("small", {}, label.join(" "))),
    shown.pending ? el("span.label", {}, word("pending", { points: points(shown.pending) })) : null,
    shown.known ? null : el("span.label", {}, word("last_known", { when: moment(shown.last_known.at) })));
}

/** "1 204 beans" into the figure and the word; the figure may hold such spaces itself. */
function split(text) {
  const at = text.lastIndexOf("\u00a0", text.search(/[^\d\s.,\u00a0\u202f-]/));
  return [text.slice(0, at), text.slice(at + 1)];
}

function stamps(shown) {
  return (shown.stamps ?? []).map((each) =>
    el("div.group", {},
      el("span.label", {}, each.name || word("stamps")),
      each.needed <= 12
        ? el("div.stamps", { role: "img", "aria-label": `${each.have} / ${each.needed}` },
          Array.from({ length: each.needed }, (_, index) => el(index < each.have ? "i.full" : "i")),
          el("span", {}, `${number(each.have)} / ${number(each.needed)}${each.full ? ` · +${number(each.full)}` : ""}`))
        : el("b", {}, `${number(each.have)} / ${number(each.needed)}`)));
}

function rewards(shown, view, actions) {
  const tiles = (shown.tiles ?? []).map((tile) =>
    el(`button.tile.${tile.kind}`, {
      type: "button", disabled: !tile.ready || !view.online, "data-key": `tile-${tile.kind}-${tile.id}`,
      onclick: () => actions.handOut(tile),
    }, tile.name, el("small", {}, price(tile))));
  return tiles.length ? el("div.tiles", {}, tiles) : null;
}

/** What a tile costs, or what it is worth. */
function price(tile) {
  if (tile.stamps) return word("full_card", { count: number(tile.stamps) });
  if (tile.points) return tile.from ? word("from_points", { points: points(tile.points) }) : points(tile.points);
  const worth = tile.percent ? `−${tile.percent} %` : tile.amount_minor ? `−${money(tile.amount_minor)}` : word("coupon");
  return tile.at_least_minor ? `${worth} · ${word("from_amount", { amount: money(tile.at_least_minor) })}` : worth;
}

function redeeming(shown, view, actions, chosen) {
  if (!shown.known) return null;
  const { minimum, step, maximum } = shown.redeem;
  const least = Math.max(1, minimum ?? 1);
  if (!maximum || maximum < least) return el("p.calm", {}, word("nothing_to_redeem"));
  if (!view.online) return el("p.calm", {}, word("needs_network"));
  const by = Math.max(1, step ?? 1);
  const now = Math.min(maximum, Math.max(least, chosen.points ?? least));
  chosen.points = now;
  const slider = el("input", {
    type: "range", min: least, max: maximum, step: by, value: now, "data-key": "slider",
    "aria-label": word("redeem_how_many"), "aria-valuetext": points(now),
  });
  slider.value = now;
  const take = button(word("redeem", { points: points(now) }), () => actions.redeem(chosen.points), { "data-key": "redeem", id: "redeem" });
  const set = (value) => {
    chosen.points = Math.min(maximum, Math.max(least, value));
    slider.value = chosen.points;
    slider.setAttribute("aria-valuetext", points(chosen.points));
    take.textContent = word("redeem", { points: points(chosen.points) });
  };
  slider.addEventListener("input", () => set(Number(slider.value)));
  return el("div.group", {},
    el("span.label", {}, word("redeem_title")),
    el("div.slide", {},
      el("button", { type: "button", "aria-label": word("less"), "data-key": "less", onclick: () => set(chosen.points - by) }, "−"),
      slider,
      el("button", { type: "button", "aria-label": word("more"), "data-key": "more", onclick: () => set(chosen.points + by) }, "+")),
    take);
}

const FOR_CUSTOMERS = new Set(["visit", "kept_visit", "visit_too_soon"]);

/** The same for a customer who serves himself: friendly, and no word for a cashier. */
export function toldCustomer(view) {
  const notice = view.notice ?? view.done;
  const mine = FOR_CUSTOMERS.has(notice.told);
  const said = mine ? outcome(notice.told, notice.facts) : { title: word("self_sorry"), next: word("self_ask") };
  return [el("div.told", {},
    el("div.sign", { "aria-hidden": "true" }, notice.sign),
    heading(said.title),
    notice.facts.given ? el("p.stamped", {}, word("self_stamps", { count: number(notice.facts.given) })) : null,
    notice.facts.points ? el("p.stamped", {}, `+${points(notice.facts.points)}`) : null,
    el("p", {}, said.next))];
}

/** Nobody is in front of the self-service till. */
export function inviting() {
  return [el("div.await", {}, phone(), el("h2", {}, word("self_hold")), el("p", {}, word("self_hint")))];
}

/** A heading in which no word is broken: where one is long, all of it is smaller. */
function heading(title) {
  const made = el("h2", {}, title);
  const longest = Math.max(...title.split(" ").map((each) => each.length));
  made.style.setProperty("--letters", longest);
  return made;
}

/** Done or refused: sign, title, what to do next. */
export function told(view, actions, secondsLeft) {
  const done = view.notice ? null : view.done;
  const notice = view.notice ?? view.done;
  const said = outcome(notice.told, notice.facts, notice.detail);
  const explain = (notice.facts.explain ?? []).slice(0, 3).map((line) => el("li", {}, line));
  return [el(`div.told${said.title.length < 12 ? ".big" : ""}`, {},
    el("div.sign", { "aria-hidden": "true" }, notice.sign),
    heading(said.title),
    el("p", {}, said.next),
    notice.facts.off_minor ? el("p.off", {}, word("take_off", { amount: money(notice.facts.off_minor) })) : null,
    explain.length ? el("ul", {}, explain) : null,
    el("div.row", {},
      secondsLeft > 0 && done && button(word("undo_seconds", { seconds: secondsLeft }), actions.undo, { "data-key": "undo" }),
      button(word(done ? "next_customer" : "understood"), actions.understood, { "data-key": "understood" })))];
}
