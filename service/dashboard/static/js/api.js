// The service's API as the pages use it: JSON, the reader's session, and faults with their sentence.
import { language, t } from "./words.js";

export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || String(status));
    this.status = status;
    this.problem = problem;
    this.field = problem.field ?? problem.errors?.[0]?.field ?? null;
  }
}

const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

async function call(method, path, { body, headers = {}, raw = false } = {}) {
  const options = { method, headers: { Accept: "application/json", "Accept-Language": language, ...headers }, credentials: "same-origin", cache: "no-store" };
  if (method !== "GET") options.headers["X-CSRF-Token"] = csrf();
  if (body instanceof FormData || body instanceof Blob) options.body = body;
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ApiError(0, { title: t("common.no_connection") });
  }
  if (response.status === 401 && !/^\/(login|invitation)/.test(location.pathname)) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    return new Promise(() => {});
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({ title: response.statusText }));
    throw new ApiError(response.status, problem);
  }
  if (raw) return response;
  if (response.status === 204) return null;
  const found = await response.json();
  return found;
}

export const get = (path, options) => call("GET", path, options);
export const getResponse = (path, options = {}) => call("GET", path, { ...options, raw: true });
export const post = (path, body, options = {}) => call("POST", path, { body, ...options });
export const put = (path, body, options = {}) => call("PUT", path, { body, ...options });
export const patch = (path, body, options = {}) => call("PATCH", path, { body, ...options });
export const remove = (path, options) => call("DELETE", path, options);

// Answers may come in another order than they were asked for: null for one that a later asking for the same place overtook.
const askings = new Map();
export async function freshest(place, answer) {
  const mine = (askings.get(place) ?? 0) + 1;
  askings.set(place, mine);
  try {
    const found = await answer;
    return askings.get(place) === mine ? found : null;
  } catch (error) {
    if (askings.get(place) === mine) throw error;
    return null;
  }
}

// All pages of a list, following its cursors; at most so many rows.
export async function all(path, most = 5000) {
  const items = [];
  let cursor = null;
  do {
    const url = new URL(path, location.origin);
    if (cursor) url.searchParams.set("cursor", cursor);
    const page = await get(url.pathname + url.search);
    items.push(...page.items);
    cursor = page.next ?? null;
  } while (cursor && items.length < most);
  return items;
}
