// One conversation: its messages, and the composer below them.

import { renderBlocks } from "./blocks.js";
import { h, icon, keepFocus, openMenu, uid } from "./dom.js";
import { autogrow } from "./elements.js";
import { mrkdwn } from "./mrkdwn.js";

const GROUP_SECONDS = 300;

/** Black or white, whichever can be read on `color`. */
function inkOn(color) {
  const [r, g, b] = (/^#?([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(color)?.slice(1) ?? ["33", "55", "77"])
    .map((hex) => parseInt(hex, 16) / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

export function avatar({ initials, color }, className = "") {
  const node = h("span", { class: `avatar ${className}`, "aria-hidden": "true" }, initials);
  if (color) {
    node.style.setProperty("--avatar", color);
    node.style.setProperty("--avatar-ink", inkOn(color));
  }
  return node;
}

/** `16:02` where this person is. */
/** How far the demo's clock is ahead of this browser's. */
let aheadMs = 0;

/** What time it is in the demo. */
export const now = () => new Date(Date.now() + aheadMs);

export function clockSays(nowMs) {
  aheadMs = nowMs - Date.now();
}

export function timeIn(timeZone, when = now()) {
  return new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" }).format(when);
}

const dayKey = (timeZone, when) => new Intl.DateTimeFormat("en-CA", { timeZone }).format(when);

function dayName(timeZone, when) {
  const day = dayKey(timeZone, when);
  const today = now().getTime();
  if (day === dayKey(timeZone, today)) return "Today";
  if (day === dayKey(timeZone, today - 864e5)) return "Yesterday";
  const sameYear = day.slice(0, 4) === dayKey(timeZone, today).slice(0, 4);
  return new Intl.DateTimeFormat("en-GB", { timeZone, weekday: "long", day: "numeric", month: "long", year: sameYear ? undefined : "numeric" }).format(when);
}

const dateOf = ({ ts }) => new Date(Number(ts) * 1000);

const byTs = (a, b) => Number(a.ts) - Number(b.ts);

/** A file that hangs on a message, by its name, to be downloaded. */
const fileLink = ({ id, title, name, size }) =>
  h(
    "p",
    { class: "file", "data-testid": "file" },
    h("a", { href: `/page/download/${id}`, download: name }, title),
    ` · ${size < 1024 ? `${size} bytes` : `${Math.round(size / 1024)} KB`}`,
  );

export class Conversation {
  #root;
  #scroller;
  #host;
  #channel = null;
  #zone = "UTC";
  #messages = [];
  #nodes = new Map();
  #stuck = true;

  /** `host`: `{surfaceFor(container, level), person(id), app(), shortcuts(), shortcut(id, ts), intro()}` */
  constructor(root, scroller, host) {
    this.#root = root;
    this.#scroller = scroller;
    this.#host = host;
    // Whoever is at the end stays there, whatever grows: a message, the panel beside it, a keyboard.
    scroller.addEventListener("scroll", () => (this.#stuck = this.#atEnd()), { passive: true });
    const follow = new ResizeObserver(() => this.#stuck && this.#toEnd());
    follow.observe(scroller);
    follow.observe(root);
  }

  show(channel, messages, zone) {
    this.#channel = channel;
    this.#zone = zone;
    this.#messages = [...messages].sort(byTs);
    this.#nodes = new Map(this.#messages.map((message) => [message.ts, this.#draw(message)]));
    this.#arrange();
    this.#toEnd();
  }

  put(message) {
    const index = this.#messages.findIndex(({ ts }) => ts === message.ts);
    if (index < 0) {
      this.#messages = [...this.#messages, message].sort(byTs);
      this.#nodes.set(message.ts, this.#draw(message));
    } else {
      this.#messages[index] = message;
      this.#redraw(message);
    }
    this.#arrange();
  }

  remove(ts) {
    this.#messages = this.#messages.filter((message) => message.ts !== ts);
    this.#nodes.delete(ts);
    this.#arrange();
  }

  #atEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < 80;
  }

  #toEnd() {
    this.#stuck = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** The nodes in order, with a line between days; short follow-ups lose their head. */
  #arrange() {
    const items = [h("li", { class: "intro" }, this.#host.intro())];
    let before = null;
    for (const message of this.#messages) {
      const node = this.#nodes.get(message.ts);
      const day = dayKey(this.#zone, dateOf(message));
      const newDay = !before || day !== dayKey(this.#zone, dateOf(before));
      if (newDay) items.push(h("li", { class: "day" }, h("span", null, dayName(this.#zone, dateOf(message)))));
      node.classList.toggle("follows", !newDay && this.#follows(before, message));
      items.push(node);
      before = message;
    }
    keepFocus(this.#root, () => this.#root.replaceChildren(...items));
  }

  #follows(before, message) {
    return (
      !message.bot && !message.ephemeral && !before.ephemeral && before.user === message.user && before.bot === message.bot &&
      Number(message.ts) - Number(before.ts) < GROUP_SECONDS
    );
  }

  #draw(message) {
    const node = h("li", {
      class: `message${message.ephemeral ? " ephemeral" : ""}`, "data-testid": "message", "data-ts": message.ts, "data-focus-root": true, tabindex: "-1",
      "data-ephemeral": message.ephemeral ? "true" : null,
    });
    node.append(...this.#content(message));
    return node;
  }

  #redraw(message) {
    const node = this.#nodes.get(message.ts);
    keepFocus(node, () => node.replaceChildren(...this.#content(message)));
  }

  #content(message) {
    const author = message.bot ? this.#host.app() : this.#host.person(message.user);
    const name = message.name || author.real_name || author.name;
    const when = dateOf(message);
    const blocks = message.blocks?.length
      ? renderBlocks(message.blocks, this.#host.surfaceFor({ type: "message", channel: this.#channel, ts: message.ts }, 2))
      : [h("div", { class: "block" }, h("div", { class: "text" }, mrkdwn(message.text ?? "")))];
    return [
      avatar(author, message.bot ? "app" : ""),
      h(
        "div",
        { class: "message-main" },
        message.typed && h("p", { class: "typed" }, h("span", { class: "sr-only" }, "You typed: "), message.typed),
        message.ephemeral && h("p", { class: "only-you" }, icon("eye"), "Only visible to you"),
        h(
          "p",
          { class: "message-head" },
          h("strong", { class: "name" }, name),
          message.bot && h("span", { class: "badge" }, "APP"),
          h("time", { datetime: when.toISOString(), title: `${dayName(this.#zone, when)}, ${this.#zone}` }, timeIn(this.#zone, when)),
        ),
        h("div", { class: "blocks" }, blocks, (message.files ?? []).map(fileLink), message.edited && !message.ephemeral && h("small", { class: "edited" }, "(edited)")),
      ),
      this.#tools(message, name),
    ];
  }

  #tools(message, name) {
    const shortcuts = message.ephemeral ? [] : this.#host.shortcuts("message");
    if (!shortcuts.length) return "";
    const label = `Shortcuts for the message from ${name}`;
    const node = h(
      "button",
      {
        class: "icon-btn message-tools", type: "button", "aria-label": label, title: "More actions", "aria-haspopup": "menu", "aria-expanded": "false",
        "data-testid": "message-shortcuts",
        on: { click: () => openMenu(node, label, shortcuts.map(({ name: title, callback_id: id }) => ({ label: title, value: id, leading: icon("bolt"), run: () => this.#host.shortcut(id, message.ts) }))) },
      },
      icon("more"),
    );
    return node;
  }
}

export class Composer {
  #form;
  #area;
  #hint;
  #error;
  #grow;
  #host;
  #history = [];
  #recalled = 0;
  #rows = [];
  #active = -1;
  #dismissed = false;

  /** `host`: `{commands(), send(text) → {ok, error}}` */
  constructor({ form, area, hint, error }, host) {
    this.#form = form;
    this.#area = area;
    this.#hint = hint;
    this.#error = error;
    this.#host = host;
    this.#grow = autogrow(area);
    area.addEventListener("input", () => {
      this.#dismissed = false;
      this.#recalled = 0;
      this.#showHint();
    });
    area.addEventListener("keydown", (event) => this.#key(event));
    area.addEventListener("blur", () => this.#closeHint());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  /** Puts a line in, ready to be sent or changed. */
  fill(text) {
    this.#area.value = text;
    this.#grow();
    this.#area.focus();
    this.#area.setSelectionRange(text.length, text.length);
    this.#dismissed = false;
    this.#showHint();
  }

  describe(label, placeholder) {
    this.#area.setAttribute("aria-label", label);
    this.#area.placeholder = placeholder;
    this.#say(null);
  }

  focus() {
    this.#area.focus();
  }

  #say(text) {
    this.#error.replaceChildren(...(text ? [icon("alert"), text] : []));
  }

  #key(event) {
    if (event.isComposing) return;
    if (this.#rows.length && this.#hintKey(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#send();
    } else if (event.key === "ArrowUp" && (this.#area.value === "" || this.#recalled)) {
      this.#recall(event, 1);
    } else if (event.key === "ArrowDown" && this.#recalled) {
      this.#recall(event, -1);
    } else if (event.key === "Escape") {
      this.#dismissed = true;
      this.#closeHint();
    }
  }

  #recall(event, by) {
    const next = Math.min(this.#recalled + by, this.#history.length);
    if (next === this.#recalled) return;
    event.preventDefault();
    this.#area.value = next ? this.#history.at(-next) : "";
    this.#recalled = next;
    this.#grow();
    this.#closeHint();
  }

  async #send() {
    const text = this.#area.value.trim();
    if (!text) return;
    this.#history.push(text);
    this.#recalled = 0;
    this.#area.value = "";
    this.#grow();
    this.#closeHint();
    this.#say(null);
    this.#form.setAttribute("aria-busy", "true");
    const answer = await this.#host.send(text);
    this.#form.removeAttribute("aria-busy");
    if (answer.ok) return;
    this.#say(answer.error);
    // Nothing typed is lost: the line comes back, unless the next one is being written.
    if (!this.#area.value) {
      this.#area.value = text;
      this.#grow();
    }
  }

  // ---- The slash-command hint

  #showHint() {
    const text = this.#area.value;
    const commands = this.#host.commands();
    const known = commands.find(({ command }) => text.startsWith(`${command} `));
    const fitting = /^\/\S*$/.test(text) ? commands.filter(({ command }) => command.startsWith(text)) : [];
    if (this.#dismissed || text.includes("\n") || !(known || fitting.length)) return this.#closeHint();
    if (known) return this.#showUsage(known);
    const listId = uid("commands");
    this.#rows = fitting.map((command) => {
      const node = h(
        "div",
        { class: "option", role: "option", id: uid("command"), "aria-selected": "false" },
        h("span", { class: "menu-text" }, h("span", null, h("strong", null, command.command), " ", h("span", { class: "usage" }, command.usage_hint)), h("small", null, command.description)),
      );
      // Before the blur, which would close the hint under the pointer.
      node.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        this.fill(`${command.command} `);
      });
      return { command: command.command, node };
    });
    this.#hint.replaceChildren(h("div", { role: "listbox", id: listId, "aria-label": "Commands" }, this.#rows.map(({ node }) => node)));
    this.#hint.hidden = false;
    this.#area.setAttribute("aria-controls", listId);
    this.#point(0);
    return undefined;
  }

  #showUsage({ command, usage_hint: usage }) {
    this.#closeHint();
    if (!usage) return;
    this.#hint.replaceChildren(h("p", { class: "usage-line" }, h("strong", null, command), " ", h("span", { class: "usage" }, usage)));
    this.#hint.hidden = false;
  }

  #point(index) {
    this.#rows[this.#active]?.node.setAttribute("aria-selected", "false");
    this.#active = index;
    this.#rows[index].node.setAttribute("aria-selected", "true");
    this.#area.setAttribute("aria-activedescendant", this.#rows[index].node.id);
  }

  #closeHint() {
    this.#rows = [];
    this.#active = -1;
    this.#hint.hidden = true;
    this.#area.removeAttribute("aria-activedescendant");
    this.#area.removeAttribute("aria-controls");
  }

  /** True if the key was for the hint. */
  #hintKey(event) {
    const { command } = this.#rows[this.#active];
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) {
      this.#point((this.#active + moves[event.key] + this.#rows.length) % this.#rows.length);
    } else if (event.key === "Tab" || (event.key === "Enter" && this.#area.value !== command)) {
      this.fill(`${command} `);
    } else {
      return false;
    }
    event.preventDefault();
    return true;
  }
}
