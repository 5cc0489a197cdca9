// What lies over the page for a moment: a code to be typed, a return, a manager's PIN, the list of
// what the service refused.

import { button, el } from "/static/dom.js";
import { draw, Typed } from "/static/pad.js";
import { decimalSign, exponent, money, moment, number, outcome, points, sentences, word } from "/static/words.js";

const SHORTEST_PIN = 4;
const SIGN_KEY = 9; // of the keypad's keys, left of the zero
const dialog = document.getElementById("dialog");
let act = null;
let view = null;
let shown = null;
let heard = 0;
let cursor = null;

function open(kind, title, ...body) {
  shown = kind;
  heard = view?.notice?.number ?? 0;
  dialog.replaceChildren(el("div.body", {},
    el("h2", { id: "dialog-title" }, title), el("div", { id: "said", role: "alert" }), ...body.flat().filter(Boolean)));
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[autofocus]")?.focus();
}

export function close() {
  shown = null;
  if (dialog.open) dialog.close();
}

export function setUp(asking) {
  act = asking;
  dialog.addEventListener("focusin", follows);
  dialog.addEventListener("close", () => {
    if (shown === "approval" && view?.approval) act("no-approval");
    shown = null;
  });
}

/** Follow the view: a manager is asked for as soon as the service wants one. */
export function follow(next) {
  const before = view?.approval?.number;
  view = next;
  const told = view.notice;
  // What is told of a dialog is told in it: the page behind is in its shade.
  if (shown && told && told.number > heard) {
    heard = told.number;
    const said = outcome(told.told, told.facts, told.detail);
    tell(el(`p.warn${told.tone === "red" ? ".stop" : ""}`, {}, sentences(said)));
  }
  if (view.stage === "locked" && shown) close();
  else if (view.approval && view.approval.number !== before) approval();
  else if (!view.approval && shown === "approval") close();
}

function tell(...what) {
  const said = document.getElementById("said");
  said?.replaceChildren(...what);
  if (what.length) said?.scrollIntoView({ block: "nearest" });
}

/** A card was scanned: nobody needs to type one any more. */
export function scanned() {
  if (shown === "code") close();
}

const cancel = () => button(word("cancel"), close);

export function code() {
  const field = el("input", { id: "typed-code", "data-codes": true, maxlength: 8000, autocomplete: "off", spellcheck: "false", autofocus: true });
  const take = () => {
    const text = field.value.trim();
    close();
    if (text) act("code", { text });
  };
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    // Closing hands the focus back to the button that opened this: the same key must not press it.
    event.preventDefault();
    event.stopPropagation();
    take();
  });
  open("code", word("type_code"),
    el("div.field", {}, el("label.label", { for: "typed-code" }, word("code")), field),
    el("div.row", {}, cancel(), button(word("take_code"), take, { class: "plain main" })));
}

function approval() {
  const { told, detail } = view.approval;
  const said = outcome(told, {}, detail);
  const names = view.managers ?? [];
  const chosen = { name: "" };
  const dots = el("output", { id: "manager-pin" }, "\u00a0");
  const other = el("input", { id: "manager", maxlength: 80, autocomplete: "off", spellcheck: "false" });
  const pin = new Typed((text) => {
    dots.textContent = "•".repeat(text.length) || "\u00a0";
    if (text) tell();
    ready();
  }, { decimals: () => null });
  const tiles = names.map((name) => button(name, (event) => {
    chosen.name = name;
    other.value = "";
    press(event.target);
  }, { "aria-pressed": "false" }));
  const press = (tile) => {
    for (const each of tiles) each.setAttribute("aria-pressed", String(each === tile));
    ready();
  };
  other.addEventListener("input", () => {
    chosen.name = "";
    press(null);
  });
  const keys = el("div.keys", { role: "group" });
  draw(keys, () => pin, { decimal: false });
  const name = () => other.value.trim() || chosen.name;
  const send = async () => {
    if (approve.disabled) return;
    const body = { name: name(), pin: pin.text };
    pin.set("");
    await act("approve", body);
  };
  const approve = button(word("approve"), send, { class: "plain main" });
  const ready = () => { approve.disabled = !name() || pin.text.length < SHORTEST_PIN; };
  dialog.onkeydown = (event) => {
    if (shown !== "approval") return;
    if (event.key === "Enter" && event.target.tagName !== "BUTTON") send();
    if (event.target instanceof HTMLInputElement) return;
    if (/^[0-9]$/.test(event.key)) pin.key(event.key);
    else if (event.key === "Backspace") pin.key("back");
  };
  open("approval", word("manager_title"),
    el("div.beside", {},
      el("div", {},
        el("p.warn", {}, said.title), el("p", {}, said.next),
        tiles.length ? el("div.names", {}, tiles) : null,
        el("div.field", {},
          el("label.label", { for: "manager" }, word(tiles.length ? "other_name" : "manager_or_owner")), other)),
      el("div", {}, el("div.amount", {}, el("span.label", {}, word("pin")), dots), keys)),
    el("div.row", {}, cancel(), approve));
  ready();
}

export function returns() {
  const field = el("input", { id: "return-receipt", maxlength: 64, autocomplete: "off", spellcheck: "false", autofocus: true });
  const list = el("div.body", { role: "status" });
  const find = async () => {
    if (!field.value.trim()) return field.focus();
    tell();
    const found = (await act("find-receipt", { receipt: field.value.trim() })) ?? [];
    list.replaceChildren(...found.map(receipt));
    search.classList.toggle("main", !found.length);
  };
  const search = button(word("return_find"), find, { class: "plain main" });
  field.addEventListener("keydown", (event) => { if (event.key === "Enter") find(); });
  field.addEventListener("input", () => {
    list.replaceChildren();
    search.classList.add("main");
  });
  open("returns", word("return_title"),
    el("div.beside", {},
      el("div", {}, el("div.field", {}, el("label.label", { for: "return-receipt" }, word("receipt")), field), list),
      el("div.digits", {}, keypad(field))),
    el("div.row", {}, cancel(), search));
}

/** A keypad that types where the cursor was last: a till without a keyboard has no other. */
function keypad(first) {
  const keys = el("div.keys", { role: "group" });
  const key = (pressed) => {
    const field = cursor?.isConnected ? cursor : first;
    const typed = pressed === "." ? field.dataset.sign ?? "-" : pressed;
    field.value = pressed === "back" ? field.value.slice(0, -1) : (field.value + typed).slice(0, field.maxLength);
    field.dispatchEvent(new Event("input"));
  };
  draw(keys, () => ({ key }));
  return keys;
}

/** The key left of the zero: the decimal sign of an amount, a dash in a receipt's number. */
function follows(event) {
  if (shown !== "returns" || !(event.target instanceof HTMLInputElement)) return;
  cursor = event.target;
  const sign = dialog.querySelector(".digits .keys").children[SIGN_KEY];
  sign.textContent = cursor.dataset.sign ?? "-";
  sign.setAttribute("aria-label", cursor.dataset.sign ? word("decimal") : "-");
}

function receipt(found) {
  const left = found.amount_minor - found.returned_minor;
  const part = el("input", {
    id: `part-${found.posting_id}`, inputmode: "decimal", maxlength: 12, autocomplete: "off", "data-sign": decimalSign(),
  });
  const minor = () => Math.round(Number(part.value.replace(",", ".")) * 10 ** exponent());
  const text = () => {
    if (minor() > left) return word("at_most", { amount: money(left) });
    return minor() > 0 ? word("return_part", { amount: money(minor()) }) : word("return_all", { amount: money(left) });
  };
  const take = button(text(), () => {
    const amount = part.value.trim();
    close();
    act("return", { posting_id: found.posting_id, amount });
  }, { class: "plain main" });
  part.addEventListener("input", () => {
    take.textContent = text();
    take.disabled = minor() > left || Number.isNaN(minor());
  });
  part.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    take.click();
  });
  return el("div.found", {},
    el("b", {}, found.points == null ? money(found.amount_minor) : `${money(found.amount_minor)} · ${points(found.points)}`),
    el("span.calm", {}, moment(found.at)),
    found.returned_minor ? el("span.calm", {}, word("returned_already", { amount: money(found.returned_minor) })) : null,
    left > 0 ? [el("div.field", {}, el("label.label", { for: part.id }, word("return_how_much")), part), take] : null);
}

export async function aside() {
  const listed = (await act("aside")) ?? [];
  list(listed);
}

/** What was refused, each with its reason and the ways out; those that end it want to know why. */
function list(listed) {
  const rows = listed.map((each) => {
    const said = outcome(each.told, {}, each.reason);
    const why = el("input", { id: `why-${each.posting_id}`, maxlength: 200, autocomplete: "off" });
    const take = (way) => async () => {
      if (way !== "send_again" && !why.value.trim()) return why.focus();
      const left = await act("resolve", { posting_id: each.posting_id, how: way, reason: why.value.trim() });
      list(left ?? (await act("aside")) ?? []);
    };
    return el("div.found", {},
      el("b", {}, each.amount_minor ? money(each.amount_minor) : word(each.amount_minor === 0 ? "kind_visit" : `kind_${each.kind}`)),
      el("span.calm", {}, moment(each.kept_at)),
      el("span", {}, sentences(said)),
      el("div.field", {}, el("label.label", { for: why.id }, word("aside_why")), why),
      el("div.row", {}, each.ways.map((way) => button(word(`aside_${way}`), take(way)))));
  });
  open("aside", `${word("aside_title")} · ${number(listed.length)}`,
    rows.length ? rows : el("p", {}, word("aside_empty")), el("div.row", {}, button(word("back"), close)));
}
