// How the page asks its server: each request carries the token of the page's own address.

const token = new URLSearchParams(location.search).get("token");
const running = new Map(); // requests without an answer yet → their path

// Ask; an answer that refuses becomes an Error with the server's words.
export function ask(method, path, body) {
  const request = send(method, path, body).finally(() => running.delete(request));
  running.set(request, path);
  return request;
}

// Wait until all that was asked under a path has been answered.
export function answered(path) {
  const requests = [...running].filter(([, its]) => its === path || its.startsWith(`${path}/`));
  return Promise.allSettled(requests.map(([request]) => request));
}

async function send(method, path, body) {
  let answer;
  try {
    answer = await fetch(`api/${path}`, { method, body, headers: { Authorization: `token ${token}` } });
  } catch {
    throw new Error("The server does not answer. Was it ended? Start `crack-utils serve` again.");
  }
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({}));
  throw new Error(error ?? `The server refused this (${answer.status}).`);
}

export const askJson = async (...request) => (await ask(...request)).json();

// Let the browser save what the server answers.
export async function download(path, name) {
  const address = URL.createObjectURL(await (await ask("GET", path)).blob());
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
