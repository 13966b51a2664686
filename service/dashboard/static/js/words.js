// Texts, numbers and times in the reader's language and the site's time zone.
import texts from "./texts.js";

const root = document.documentElement;
export const language = root.lang || "vi";
export const tz = root.dataset.tz || "Asia/Ho_Chi_Minh";
const locale = language === "vi" ? "vi-VN" : "en-GB";

export function t(key, values = {}) {
  const text = texts[key];
  if (text === undefined) throw new Error(`nobody has written the text ${key}`);
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export const unknown = "—";

export function number(value, decimals = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return unknown;
  return new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);
}

export function percent(share, decimals = 0) {
  if (share === null || share === undefined) return unknown;
  return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: decimals }).format(share);
}

const moment = (value) => (value instanceof Date ? value : new Date(typeof value === "number" ? value * 1000 : value));
const format = (value, options) => (value === null || value === undefined ? unknown
  : new Intl.DateTimeFormat(locale, { timeZone: tz, hourCycle: "h23", ...options }).format(moment(value)));

// Each takes an ISO text, seconds since the epoch, or a Date.
export const clock = (value) => format(value, { hour: "2-digit", minute: "2-digit" });
export const clockSeconds = (value) => format(value, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const day = (value) => format(value, { day: "2-digit", month: "2-digit", year: "numeric" });
export const dateTime = (value) => format(value, { day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit" });
// Today's moments by the clock alone, others with their day.
export const when = (value) => (day(value) === day(new Date()) ? clock(value) : dateTime(value));
export const longDay = (value) => { const text = format(value, { weekday: "long", day: "numeric", month: "numeric", year: "numeric" }); return text[0].toUpperCase() + text.slice(1); };
