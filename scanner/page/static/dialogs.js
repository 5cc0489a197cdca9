// What lies over the page for a moment: a code to be typed, a return, a manager's PIN, the list of
// what the service refused.

import { button, el } from "/static/dom.js";
import { draw, Typed } from "/static/pad.js";
import { exponent, money, moment, number, outcome, points, sentences, word } from "/static/words.js";

const dialog = document.getElementById("dialog");
let act = null;
let view = null;
let shown = null;

function open(kind, title, ...body) {
  shown = kind;
  dialog.replaceChildren(el("div.body", {}, el("h2", { id: "dialog-title" }, title), ...body.flat().filter(Boolean)));
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[autofocus]")?.focus();
}

export function close() {
  shown = null;
  if (dialog.open) dialog.close();
}

export function setUp(asking) {
  act = asking;
  dialog.addEventListener("close", () => {
    if (shown === "approval" && view?.approval) act("no-approval");
    shown = null;
  });
}

/** Follow the view: a manager is asked for as soon as the service wants one. */
export function follow(next) {
  const before = view?.approval?.number;
  view = next;
  if (view.stage === "locked" && shown) close();
  else if (view.approval && view.approval.number !== before) approval();
  else if (!view.approval && shown === "approval") close();
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
  const names = view.names ?? [];
  const chosen = { name: "" };
  const dots = el("output", { id: "manager-pin" }, "\u00a0");
  const pin = new Typed((text) => { dots.textContent = "•".repeat(text.length) || "\u00a0"; }, { decimals: () => 0 });
  const other = el("input", { id: "manager", maxlength: 80, autocomplete: "off", spellcheck: "false" });
  const tiles = names.map((name) => button(name, (event) => {
    chosen.name = name;
    for (const each of event.target.parentElement.children) each.setAttribute("aria-pressed", String(each === event.target));
  }, { "aria-pressed": "false" }));
  const keys = el("div.keys", { role: "group" });
  draw(keys, () => pin, { decimal: false });
  const send = async () => {
    const body = { name: other.value.trim() || chosen.name, pin: pin.text };
    pin.set("");
    await act("approve", body);
  };
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
        el("div.field", {}, el("label.label", { for: "manager" }, word("manager_or_owner")), other)),
      el("div", {}, el("div.amount", {}, el("span.label", {}, word("pin")), dots), keys)),
    el("div.row", {}, cancel(), button(word("approve"), send, { class: "plain main" })));
}

export function returns() {
  const field = el("input", { id: "return-receipt", maxlength: 64, autocomplete: "off", spellcheck: "false", autofocus: true });
  const list = el("div.body", { role: "status" });
  const find = async () => {
    const found = await act("find-receipt", { receipt: field.value.trim() });
    list.replaceChildren(...(found ?? []).map(receipt));
  };
  field.addEventListener("keydown", (event) => { if (event.key === "Enter") find(); });
  open("returns", word("return_title"),
    el("div.field", {}, el("label.label", { for: "return-receipt" }, word("receipt")), field), list,
    el("div.row", {}, cancel(), button(word("return_find"), find, { class: "plain main" })));
}

function receipt(found) {
  const left = found.amount_minor - found.returned_minor;
  const part = el("input", { id: `part-${found.posting_id}`, inputmode: "decimal", maxlength: 12, autocomplete: "off" });
  const minor = () => Math.round(Number(part.value.replace(",", ".")) * 10 ** exponent());
  const text = () => (minor() > 0 ? word("return_part", { amount: money(minor()) }) : word("return_all", { amount: money(left) }));
  const take = button(text(), () => {
    const amount = part.value.trim();
    close();
    act("return", { posting_id: found.posting_id, amount });
  });
  part.addEventListener("input", () => { take.textContent = text(); });
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
