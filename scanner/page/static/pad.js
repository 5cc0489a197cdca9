// The keypad: digits for an amount, a PIN or a part of a receipt, always in the same place.

import { el } from "/static/dom.js";
import { decimalSign, word } from "/static/words.js";

const LONGEST = 10;

/**
 * What is typed: an amount with its decimals, or digits alone. A key that would make it more than
 * `most()` minor units is not taken, and `tooMuch` is told. With `decimals()` null it is a PIN, in
 * which zeros at the beginning count.
 */
export class Typed {
  constructor(changed, { decimals = () => 2, most = () => Infinity, tooMuch = () => {} } = {}) {
    this.text = "";
    this.decimals = decimals;
    this.most = most;
    this.tooMuch = tooMuch;
    this.changed = changed;
  }

  set(text) {
    this.text = text;
    this.changed(text);
  }

  key(key) {
    let text = this.text;
    if (key === "back") text = text.slice(0, -1);
    else if (key === "clear") text = "";
    else if (key === ".") {
      if (!this.decimals() || text.includes(".")) return;
      text = (text || "0") + ".";
    } else {
      const [, after] = text.split(".");
      if (after !== undefined && after.length >= this.decimals()) return;
      text = text === "0" && this.decimals() !== null ? key : text + key;
      if (this.worth(text) > this.most()) return this.tooMuch();
      if (text.length > LONGEST) return;
    }
    this.set(text);
  }

  /** The amount in minor units, null where there is none. */
  minor() {
    return this.worth(this.text) || null;
  }

  worth(text) {
    const [whole, after = ""] = text.split(".");
    return Number(whole + after.padEnd(this.decimals() ?? 0, "0"));
  }
}

/** Draw the keys for `typed()`; asked anew at each press, so that one keypad serves several. */
export function draw(container, typed, { decimal = true } = {}) {
  const press = (key) => () => typed().key(key);
  const keys = ["7", "8", "9", "4", "5", "6", "1", "2", "3"].map((digit) =>
    el("button", { type: "button", onclick: press(digit) }, digit));
  const clear = el("button", { type: "button", onclick: press("clear"), "aria-label": word("clear") }, "C");
  const first = decimal
    ? el("button", { type: "button", onclick: press("."), "aria-label": word("decimal") }, decimalSign())
    : clear;
  container.setAttribute("aria-label", word("keypad"));
  container.replaceChildren(
    ...keys, first,
    el("button", { type: "button", onclick: press("0") }, "0"),
    el("button", { type: "button", onclick: press("back"), "aria-label": word("delete_digit") }, "⌫"),
  );
}
