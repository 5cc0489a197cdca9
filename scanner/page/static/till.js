// The cashier's page: draws the view that the till program sends, and asks it for what is pressed.

import { ask, cameraAddress, follow } from "/static/desk.js";
import * as dialogs from "/static/dialogs.js";
import { el, fill } from "/static/dom.js";
import { draw, Typed } from "/static/pad.js";
import { play } from "/static/sound.js";
import * as stage from "/static/stage.js";
import { listen } from "/static/wedge.js";
import {
  current, decimalSign, exponent, highest, hint, LANGUAGES, money, nameOf, outcome, points, preferred, programmeIs,
  sentences, speak, word,
} from "/static/words.js";

const at = (id) => document.getElementById(id);
const TYPING_PAUSE_MS = 120;
// A hand scanner's digits pass through the keypad and are taken back: of those nothing is said.
const TOO_MUCH_PAUSE_MS = 300;
const UNDO_SECONDS = 60;
const narrow = matchMedia("(max-width: 640px)");

let view = null;
let busy = false;
let doing = null;
let heard = 0;
let saleSeen = 0;
let undoUntil = 0;
let allSentAt = null;
let typing = null;
let tooMuch = null;
const who = { name: "" };
const redeem = { points: null, card: null };

const amount = new Typed(amountChanged, { decimals: exponent, most: highest, tooMuch: sayTooMuch });
const pin = new Typed(drawAmount, { decimals: () => null });
const typed = () => (view?.stage === "locked" ? pin : amount);

// --- what is asked ----------------------------------------------------------------------------

/** What is pressed while the till is busy is not done; a code that comes then waits its turn. */
async function act(name, body = {}) {
  if (busy && name !== "code") return null;
  while (busy) await doing;
  busy = true;
  doing = perform(name, body);
  return doing;
}

async function perform(name, body) {
  drawGo();
  const answer = await ask(name, body);
  busy = false;
  if (answer) show(answer.view);
  drawGo();
  return answer?.answer ?? null;
}

const sale = () => ({ amount: amount.text, receipt: at("receipt").value });

function amountChanged() {
  clearTimeout(tooMuch);
  delete at("amount-box").dataset.most;
  drawAmount();
  clearTimeout(typing);
  typing = setTimeout(sendSale, TYPING_PAUSE_MS);
}

/** The key was not taken: say up to which amount keys are. */
function sayTooMuch() {
  clearTimeout(tooMuch);
  tooMuch = setTimeout(() => {
    at("amount-box").dataset.most = "";
    drawAmount();
    at("spoken").textContent = amountLabel();
  }, TOO_MUCH_PAUSE_MS);
}

async function sendSale() {
  clearTimeout(typing);
  const answer = await ask("sale", sale());
  if (answer) show(answer.view);
}

const actions = {
  undo: () => act("undo"),
  understood: () => act("understood"),
  putAway: () => act("put-away"),
  redeem: (wanted) => act("redeem", { card: view.card.number, points: wanted, ...sale() }),
  handOut: (tile) => act("hand-out", { card: view.card.number, kind: tile.kind, id: tile.id, ...sale() }),
};

async function signIn() {
  const body = { name: who.name, pin: pin.text };
  pin.set("");
  await act("sign-in", body);
}

async function give() {
  clearTimeout(typing);
  await act("give", { card: view.card.number, ...sale() });
}

/** What the one large button does now, and what it says. */
function main() {
  if (view.stage === "locked") {
    const serves = view.card_waits && !view.self_service && !narrow.matches;
    return { text: word(serves ? "sign_in_serve" : "sign_in"), run: who.name && pin.text.length >= 4 ? signIn : null };
  }
  const minor = amount.minor();
  if (view.card && view.stage === "card") {
    if (minor === null) return { text: word("key_amount"), run: null };
    const quote = view.card.quote;
    if (!view.online) return { text: word("give_kept", { amount: money(minor) }), run: give };
    if (quote && quote.amount_minor === minor) return { text: word("give", { points: points(quote.points) }), run: give };
    return { text: word("give_for", { amount: money(minor) }), run: give };
  }
  return { text: word(minor === null ? "waiting_for" : "show_card"), run: null };
}

// --- drawing ----------------------------------------------------------------------------------

function drawGo() {
  if (!view) return;
  const { text, run } = main();
  const go = at("go");
  go.textContent = text;
  go.disabled = busy || run === null;
}

function drawAmount() {
  const locked = view?.stage === "locked";
  at("amount-label").textContent = locked ? (who.name ? word("pin_of", { name: who.name }) : word("pin")) : amountLabel();
  const shown = locked ? "•".repeat(pin.text.length) || "\u00a0" : amountText();
  at("amount").textContent = shown;
  at("amount").style.setProperty("--letters", shown.length);
  drawGo();
}

function amountLabel() {
  if (at("amount-box").dataset.most !== undefined) return word("at_most", { amount: money(highest()) });
  return word("amount") + (view?.sale.by_pos ? ` · ${word("from_pos")}` : "");
}

function amountText() {
  if (!amount.text) return money(0);
  const digits = exponent();
  const [whole, after] = amount.text.split(".");
  const shown = money(Number(whole || "0") * 10 ** digits);
  if (digits === 0) return shown;
  // The decimals as they are typed: 12, 12. and 12.5 differ.
  const sign = decimalSign();
  const zeros = sign + "0".repeat(digits);
  return shown.replace(zeros, after === undefined ? "" : sign + after);
}

function drawStage() {
  const told = view.notice ?? (view.stage === "done" ? view.done : null);
  const side = at("side");
  if (told) side.dataset.tone = told.tone;
  else delete side.dataset.tone;
  const seconds = secondsLeft();
  let shown;
  const serves = view.self_service && view.stage !== "locked";
  if (serves) shown = told ? stage.toldCustomer(view) : stage.inviting();
  else if (told) shown = stage.told(view, actions, seconds);
  else if (view.stage === "locked") shown = stage.locked(view, who, chooseName);
  else if (view.stage === "card") shown = stage.card(view, actions, redeem);
  else shown = stage.waiting(view, actions, seconds);
  fill(at("stage"), shown);
}

function chooseName(name, typing = false) {
  who.name = name;
  if (!typing) drawStage();
  drawAmount();
}

const secondsLeft = () => (view.done?.undo ? Math.max(0, Math.ceil((undoUntil - Date.now()) / 1000)) : 0);

function drawStrip() {
  const strip = at("strip");
  let [state, text] = ["calm", view.cashier ? word("all_sent") : "\u00a0"];
  const clock = view.clock;
  if (view.online === false) [state, text] = ["offline", word("queue_offline", { count: view.waiting })];
  else if (view.needs_pin) [state, text] = ["look", word("needs_pin")];
  else if (clock) [state, text] = ["look", word(`clock_${clock.trouble}`, clock)];
  else if (view.waiting) [state, text] = ["calm", word("queue_sending", { count: view.waiting })];
  strip.dataset.state = state;
  if (strip.textContent !== text) strip.textContent = text;
  at("open-aside").hidden = !view.aside;
  at("aside-count").textContent = word("aside_count", { count: view.aside });
}

function drawCamera() {
  const picture = at("picture");
  const ended = view.camera === "ended";
  const off = ended || view.camera === "off";
  picture.toggleAttribute("data-off", off);
  const shown = at("hint");
  const locked = view.stage === "locked";
  const waits = locked && view.card_waits && !view.self_service;
  const read = view.stage === "card" || waits;
  let text = word(locked && view.self_service ? "self_closed" : "self_hint");
  if (!view.camera) text = word("camera_starting");
  else if (off) text = word(ended ? "camera_ended" : "camera_off");
  else if (waits) text = `✓ ${word("one_moment")}`;
  else if (read) text = `✓ ${outcome("accepted").title}`;
  else if (view.hint) text = hint(view.hint);
  picture.toggleAttribute("data-read", read && !off);
  shown.toggleAttribute("data-look", Boolean(view.hint) && !off && !read);
  shown.toggleAttribute("data-good", read && !off);
  if (shown.textContent !== text) shown.textContent = text;
}

function drawAll() {
  document.documentElement.dataset.stage = view.stage;
  at("me").hidden = !view.cashier;
  at("who").textContent = view.cashier?.name ?? "";
  drawStage();
  drawAmount();
  drawStrip();
  drawCamera();
  dialogs.follow(view);
}

/** Take a view in, unless a newer one is shown already. */
function show(next) {
  if (view && next.version < view.version) return;
  const before = view;
  view = next;
  programmeIs(view.programme);
  if (view.done?.undo && view.done.number !== before?.done?.number) {
    undoUntil = Date.now() + (UNDO_SECONDS - view.done.age_seconds) * 1000;
  }
  if (view.card?.number !== redeem.card) Object.assign(redeem, { card: view.card?.number ?? null, points: null });
  if (view.sale.number !== saleSeen) takeSale();
  if (view.stage !== "locked" && before?.stage === "locked") pin.set("");
  if (view.stage === "locked" && before && before.stage !== "locked") who.name = "";
  drawAll();
  if (narrow.matches) scrollTo(before);
  listenTo(before);
}

/** On one long column what is new may lie outside of the screen. */
function scrollTo(before) {
  const told = view.notice?.number ?? view.done?.number;
  const toldBefore = before?.notice?.number ?? before?.done?.number;
  if (view.stage === before?.stage && view.card?.number === before?.card?.number && told === toldBefore) return;
  const beside = view.stage === "card" || view.stage === "done" || view.notice;
  (beside ? at("side") : document.body).scrollIntoView({ block: "start" });
}

/** A sale that did not come from this keypad: the POS told it, or the one before is over. */
function takeSale() {
  saleSeen = view.sale.number;
  clearTimeout(tooMuch);
  delete at("amount-box").dataset.most;
  const minor = view.sale.amount_minor;
  clearTimeout(typing);
  const digits = exponent();
  amount.text = minor == null ? "" : (minor / 10 ** digits).toFixed(digits);
  at("receipt").value = view.sale.receipt ?? "";
}

/** Sound and speech for what is new. */
function listenTo(before) {
  const told = view.notice ?? (view.stage === "done" ? view.done : null);
  if (told && told.number > heard) {
    heard = told.number;
    if (before) play(told.sound);
    const said = outcome(told.told, told.facts, told.detail);
    at("spoken").textContent = sentences(said);
  } else if (view.card && view.card.number > heard) {
    heard = view.card.number;
    if (before) play("read");
    at("spoken").textContent = sentences({ title: outcome("accepted").title, next: view.card.name ?? "" });
  } else if (view.card_waits && !before?.card_waits && !view.self_service) {
    if (before) play("read");
    at("spoken").textContent = word("card_waits");
  }
}

// --- the fixed parts --------------------------------------------------------------------------

async function choose(language) {
  await speak(language);
  for (const each of document.querySelectorAll("[data-word]")) each.textContent = word(each.dataset.word);
  at("languages").setAttribute("aria-label", word("language"));
  at("languages").replaceChildren(...LANGUAGES.map((code) => el("button", {
    type: "button", lang: code, title: nameOf(code), "aria-pressed": String(code === current()),
    "aria-label": `${code.toUpperCase()}: ${nameOf(code)}`, onclick: () => choose(code),
  }, code.toUpperCase())));
  at("frame").alt = word("camera_picture");
  draw(at("keys"), typed);
  if (view) drawAll();
}

function keyboard(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || at("dialog").open) return;
  const inField = event.target instanceof HTMLInputElement;
  if (event.key === "Escape") {
    if (view?.notice || view?.stage === "done") actions.understood();
    else if (view?.stage === "card") actions.putAway();
    return;
  }
  const onName = view?.stage === "locked" && event.target.dataset?.key?.startsWith("name-");
  if (event.key === "Enter" && (inField || onName || !(event.target instanceof HTMLButtonElement))) {
    const { run } = main();
    if (run && !busy) {
      event.preventDefault();
      run();
    } else if (event.target.id === "other-name") {
      event.target.blur(); // the name is done: what follows is the PIN, and not for all to read
    }
    return;
  }
  if (inField) return;
  if (/^[0-9]$/.test(event.key)) typed().key(event.key);
  else if (event.key === "." || event.key === ",") typed().key(".");
  else if (event.key === "Backspace") typed().key("back");
  else if (event.key === "Delete") typed().key("clear");
}

function camera() {
  const frame = at("frame");
  frame.addEventListener("error", () => setTimeout(() => { frame.src = cameraAddress(); }, 1500));
  frame.src = cameraAddress();
}

async function begin() {
  await choose(preferred());
  at("go").addEventListener("click", () => main().run?.());
  at("lock").addEventListener("click", () => act("sign-out"));
  at("shift").addEventListener("click", () => act("sign-out"));
  at("receipt").addEventListener("input", amountChanged);
  at("open-code").addEventListener("click", () => dialogs.code(act));
  at("open-return").addEventListener("click", () => dialogs.returns(act));
  at("open-aside").addEventListener("click", () => dialogs.aside(act));
  dialogs.setUp(act);
  document.addEventListener("keydown", keyboard);
  listen((text) => {
    dialogs.scanned();
    act("code", { text });
  }, {
    keep: () => typed().text,
    back: (text) => typed().set(text),
  });
  for (const kind of ["pointerdown", "keydown"]) {
    let last = 0;
    document.addEventListener(kind, () => {
      if (Date.now() - last > 20000) ask("touched");
      last = Date.now();
    }, { passive: true });
  }
  setInterval(() => { if (view?.done?.undo && (view.stage === "waiting" || view.stage === "done")) drawStage(); }, 1000);
  follow(show, () => {
    at("strip").dataset.state = "look";
    at("strip").textContent = word("program_gone");
  });
  camera();
}

begin();
