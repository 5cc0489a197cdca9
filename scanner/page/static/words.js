// Words, numbers and money in the language that is chosen.

import { texts } from "/static/desk.js";

export const LANGUAGES = ["en", "de", "lv", "ru"];
const NAMES = { en: "English", de: "Deutsch", lv: "Latviešu", ru: "Русский" };

let language = "en";
let loaded = { page: {}, outcomes: {}, hints: {} };
let programme = { currency: "EUR", currency_exponent: 2, points_names: { en: { other: "points" } } };

/** Take the language the till was last used in, else the browser's, else English. */
export function preferred() {
  const wanted = [localStorage.getItem("language"), ...navigator.languages.map((each) => each.slice(0, 2))];
  return wanted.find((each) => LANGUAGES.includes(each)) ?? "en";
}

export async function speak(chosen) {
  loaded = await texts(chosen);
  language = chosen;
  localStorage.setItem("language", chosen);
  document.documentElement.lang = chosen;
}

export const current = () => language;
export const nameOf = (code) => NAMES[code];
export const programmeIs = (told) => { if (told) programme = told; };

function filled(text, facts) {
  return text.replace(/\{(\w+)\}/g, (all, name) => facts[name] ?? "");
}

/** A text of the page. */
export const word = (name, facts = {}) => filled(loaded.page[name] ?? name, facts);
export const hint = (name) => loaded.hints[name] ?? "";

/** British dates for English; the rest as it is. */
const locale = () => (language === "en" ? "en-GB" : language);

export const number = (value) => new Intl.NumberFormat(locale()).format(value);

/** "12 beans": what the programme calls them, in the plural the number asks for. */
export function points(value) {
  const names = programme.points_names;
  const spoken = names[language] ? language : names.en ? "en" : Object.keys(names)[0];
  const forms = names[spoken];
  const form = new Intl.PluralRules(spoken).select(Math.abs(value));
  return `${number(value)}\u00a0${forms[form] ?? forms.other}`;
}

export function money(minor) {
  const digits = programme.currency_exponent;
  return new Intl.NumberFormat(locale(), {
    style: "currency", currency: programme.currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(minor / 10 ** digits);
}

export const exponent = () => programme.currency_exponent;
/** The highest amount of one posting, in minor units. */
export const highest = () => programme.highest_minor ?? Infinity;
export const decimalSign = () => (language === "en" ? "." : ",");
export const moment = (iso) => new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));

/** Title and next step of an outcome, with its facts as people write them. */
export function outcome(told, facts = {}, detail = null) {
  const said = loaded.outcomes[told] ?? { title: told, next: "" };
  const spoken = {
    detail: detail ?? "",
    example: money(1250),
    most: highest() === Infinity ? "" : money(highest()),
    what: facts.what ?? "",
    until: facts.until ? moment(facts.until) : "",
  };
  if (facts.points != null) spoken.points = points(facts.points);
  if (facts.balance != null) spoken.balance = points(facts.balance);
  if (facts.amount_minor != null) spoken.amount = money(facts.amount_minor);
  const next = said.next.split(/(?<=[.!?:])\s+/).filter((part) => !missing(part, spoken)).join(" ");
  return { title: filled(said.title, spoken), next: filled(next, spoken) };
}

/** Title and next step as sentences, one after the other: a title may end in a mark of its own. */
export const sentences = ({ title, next }) => `${title}${/[.!?…:]$/.test(title) ? "" : "."} ${next}`.trim();

/** Whether a sentence speaks of something that is not known, such as a balance while offline. */
function missing(part, facts) {
  return [...part.matchAll(/\{(\w+)\}/g)].some(([, name]) => !facts[name]);
}
