// Talks to the server: the token stands in the address after '#', and goes along as a header.

const token = location.hash.slice(1) || sessionStorage.getItem("ngatu-token") || "";
sessionStorage.setItem("ngatu-token", token);

/** What the server refused or could not do; `status` is 0 where it did not answer. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(method, path, body, keepalive = false) {
  let response;
  try {
    response = await fetch(`api/${path}`, {
      method,
      keepalive,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    throw new ApiError(0, String(error));
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  const detail = typeof told.detail === "string" ? told.detail : response.statusText;
  throw new ApiError(response.status, detail);
}

export const getJson = async (path) => (await request("GET", path)).json();
export const getBlob = async (path) => (await request("GET", path)).blob();
export const getNumbers = async (path) => new Float64Array(await (await request("GET", path)).arrayBuffer());

// Changes go one after the other, so that they are kept in the order in which keys were pressed.
let last = Promise.resolve();

/** Send a change after all earlier ones; resolves to the answer's JSON, or null where it has none. */
export function change(method, path, body, keepalive = false) {
  const answer = last.then(async () => {
    const response = await request(method, path, body, keepalive);
    return response.status === 204 ? null : response.json();
  });
  last = answer.catch(() => {});
  return answer;
}
