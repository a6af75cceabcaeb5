// The traffic panel: what travels between the simulated Slack and the bot.

import { h, icon } from "./dom.js";

const KEPT = 500;
const LATE_MS = 1000;

const KINDS = {
  __proto__: null,
  slash_commands: "command",
  interactive: "interaction",
  events_api: "event",
  ack: "ack",
  web_api: "Web API",
  response_url: "response URL",
  socket: "socket",
  openid: "sign-in",
  google: "Google",
  microsoft: "Microsoft",
};

function timeOf(at, timeZone) {
  const when = new Date(typeof at === "number" && at < 1e12 ? at * 1000 : at);
  if (Number.isNaN(when.getTime())) return "";
  return new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(when);
}

const sizeOf = (bytes) => (bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KB`);

const duration = (ms) => (ms >= LATE_MS ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`);

/** How it went, in words; the colour only repeats it. */
function outcome({ ok, ack_ms: ms, direction, envelope_id: envelope }) {
  if (ok === false) return { level: "failed", text: "failed" };
  if (ms !== null && ms !== undefined) {
    return ms > LATE_MS ? { level: "late", text: `late ${duration(ms)}` } : { level: "fine", text: duration(ms) };
  }
  return { level: "fine", text: direction === "to_bot" && envelope ? "sent" : "ok" };
}

const JSON_PARTS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function pretty(body) {
  if (typeof body === "string") {
    try {
      return JSON.stringify(JSON.parse(body), null, 2);
    } catch {
      return body;
    }
  }
  return JSON.stringify(body ?? null, null, 2);
}

/** JSON with its keys, strings and numbers told apart. */
function highlighted(text) {
  const out = [];
  let end = 0;
  for (const found of text.matchAll(JSON_PARTS)) {
    const [whole, string, colon] = found;
    const kind = string ? (colon ? "key" : "string") : "literal";
    out.push(text.slice(end, found.index), h("span", { class: `json-${kind}` }, string ?? whole), colon ?? "");
    end = found.index + whole.length;
  }
  return [...out, text.slice(end)];
}

export class Traffic {
  #list;
  #empty;
  #rows = new Map();
  #query = "";
  #zone;

  /** `zone()` is the time zone to show times in. */
  constructor({ list, empty, filter, clear, zone }) {
    this.#zone = zone;
    this.#list = list;
    this.#empty = empty;
    filter.addEventListener("input", () => {
      this.#query = filter.value.trim().toLowerCase();
      for (const row of this.#rows.values()) this.#filter(row);
      this.#tell();
    });
    clear.addEventListener("click", () => this.reset([]));
  }

  reset(entries) {
    this.#rows.clear();
    this.#list.replaceChildren();
    for (const entry of entries) this.#put(entry);
    this.#tell();
  }

  add(entry) {
    this.#put(entry);
    this.#tell();
  }

  /** New on top; an entry that is already there is brought up to date. */
  #put(entry) {
    const known = this.#rows.get(entry.id);
    const row = { entry, node: this.#draw(entry), text: this.#searchable(entry) };
    if (known) known.node.replaceWith(row.node);
    else this.#list.prepend(row.node);
    this.#rows.set(entry.id, row);
    this.#filter(row);
    if (this.#rows.size > KEPT) {
      const [oldest] = this.#rows.keys();
      this.#rows.get(oldest).node.remove();
      this.#rows.delete(oldest);
    }
  }

  #searchable(entry) {
    const { level, text } = outcome(entry);
    return [KINDS[entry.kind] ?? entry.kind, entry.kind, entry.title, entry.envelope_id, entry.error, level, text, pretty(entry.body)].join(" ").toLowerCase();
  }

  #filter(row) {
    row.node.hidden = this.#query !== "" && !row.text.includes(this.#query);
  }

  #tell() {
    const shown = [...this.#rows.values()].some(({ node }) => !node.hidden);
    this.#empty.hidden = shown;
    this.#empty.textContent = this.#rows.size ? "Nothing matches the filter." : "Nothing yet. Send a line or press a button.";
  }

  #draw(entry) {
    const toBot = entry.direction === "to_bot";
    const { level, text } = outcome(entry);
    const details = h("details", null);
    details.append(
      h(
        "summary",
        null,
        h("span", { class: `way ${toBot ? "to" : "from"}`, title: toBot ? "To the bot" : "From the bot" }, h("span", { "aria-hidden": "true" }, toBot ? "→" : "←"), h("span", { class: "sr-only" }, toBot ? "To the bot" : "From the bot")),
        h("span", { class: "what" }, h("span", { class: "title" }, entry.title), entry.error && h("span", { class: "error-name" }, entry.error), h("small", null, `${KINDS[entry.kind] ?? entry.kind} · ${timeOf(entry.at, this.#zone())} · ${sizeOf(entry.bytes ?? 0)}`)),
        h("span", { class: `outcome ${level}` }, level !== "fine" && icon("alert"), text),
      ),
    );
    // Long bodies are only drawn for those who look.
    details.addEventListener("toggle", () => {
      if (details.open && !details.querySelector("pre")) details.append(this.#body(entry));
    });
    return h("li", { class: "traffic-row", "data-testid": "traffic-row", "data-kind": entry.kind, "data-direction": entry.direction, "data-outcome": level }, details);
  }

  #body(entry) {
    return h(
      "div",
      { class: "traffic-body" },
      entry.envelope_id && h("p", null, "Envelope ", h("code", null, entry.envelope_id)),
      h("pre", { tabindex: "0", "aria-label": `Body of ${entry.title}` }, highlighted(pretty(entry.body))),
    );
  }
}
