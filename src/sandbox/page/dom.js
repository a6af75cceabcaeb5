// A small DOM kit. Every node on the page is built here from text: nothing
// that comes from a person or the bot is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** `h("p", {class: "note", on: {click}}, "text", node, null)` */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(node, props, children) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "on") {
      for (const [name, handler] of Object.entries(value)) node.addEventListener(name, handler);
    } else {
      node.setAttribute(key, value === true ? "" : value);
    }
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Line icons, drawn with the colour of the text around them. */
const ICONS = {
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  back: "M15 5l-7 7 7 7",
  down: "M6 9l6 6 6-6",
  right: "M9 6l6 6-6 6",
  send: "M4 12L20 4l-4 16-4-7-8-1zM12 13l8-9",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  check: "M5 12.5l4.5 4.5L19 7",
  lock: "M7 11V8a5 5 0 0 1 10 0v3M6 11h12v9H6z",
  hash: "M9 4L7 20M17 4l-2 16M4.5 9h16M3.5 15h16",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
  traffic: "M7 20V5M7 5L3.5 8.5M7 5l3.5 3.5M17 4v15M17 19l-3.5-3.5M17 19l3.5-3.5",
  bolt: "M13 3L5 14h6l-1 7 8-11h-6z",
  alert: "M12 4L2.5 20h19zM12 10v4.5M12 17.2v.1",
};

export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

let lastId = 0;
export const uid = (prefix) => `${prefix}-${++lastId}`;

const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]), textarea:not([disabled]), select:not([disabled]), [tabindex="0"]';

export const focusables = (root) => [...root.querySelectorAll(FOCUSABLE)];

/** Names a control across redraws: its block, its action, and its option if it has one. */
const keyOf = (node) => ({
  block: node.closest("[data-block-id]")?.dataset.blockId,
  action: node.closest("[data-action-id]")?.dataset.actionId,
  option: node.type === "checkbox" || node.type === "radio" ? node.value : undefined,
});

/**
 * Remembers where the focus is, so that it can be put back after the bot has
 * redrawn the surface: on the same control if it is still there, otherwise on
 * what now stands in its place.
 */
export function markFocus(node, root = node?.closest("[data-focus-root]")) {
  if (!node) return () => {};
  const key = keyOf(node);
  const index = root ? focusables(root).indexOf(node) : -1;
  const caret = typeof node.selectionStart === "number" ? [node.selectionStart, node.selectionEnd] : null;
  return () => {
    if (node.isConnected) return node.focus();
    if (!root?.isConnected) return undefined;
    const all = focusables(root);
    const alike = all.filter((el) => key.action && keyOf(el).action === key.action && keyOf(el).option === key.option);
    const target =
      alike.find((el) => keyOf(el).block === key.block) ??
      (alike.length === 1 ? alike[0] : all[Math.min(Math.max(index, 0), all.length - 1)]);
    (target ?? root).focus();
    if (caret && typeof target?.selectionStart === "number") target.setSelectionRange(...caret);
    return undefined;
  };
}

/** Redraws `root` and keeps the focus in it, if it was there. */
export function keepFocus(root, draw) {
  const active = document.activeElement;
  const restore = root.contains(active) && active !== root ? markFocus(active, root) : null;
  draw();
  restore?.();
}

/** Where menus go: with an open dialog everything outside it is inert. */
const layerOf = (anchor) => anchor.closest("dialog, nav, main, aside") ?? document.body;

function place(panel, anchor) {
  panel.style.maxHeight = "";
  const box = anchor.getBoundingClientRect();
  const { innerWidth: width, innerHeight: height } = window;
  const below = height - box.bottom - 12;
  const above = box.top - 12;
  const up = below < Math.min(panel.scrollHeight, 240) && above > below;
  panel.style.maxHeight = `${Math.min(360, up ? above : below)}px`;
  panel.style.minWidth = `${Math.min(box.width, width - 16)}px`;
  const left = Math.min(box.left, width - panel.offsetWidth - 8);
  panel.style.left = `${Math.max(8, left)}px`;
  panel.style.top = up ? `${box.top - panel.offsetHeight - 4}px` : `${box.bottom + 4}px`;
}

/** Shows `panel` at `anchor` until Escape, a click outside or `close()`. */
export function popover(anchor, panel, onClose) {
  panel.setAttribute("popover", "manual");
  layerOf(anchor).append(panel);
  panel.showPopover();
  place(panel, anchor);
  anchor.setAttribute("aria-expanded", "true");

  let open = true;
  const close = ({ refocus = true } = {}) => {
    if (!open) return;
    open = false;
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("scroll", follow, true);
    window.removeEventListener("resize", follow);
    anchor.setAttribute("aria-expanded", "false");
    panel.remove();
    if (refocus) anchor.focus();
    onClose?.();
  };
  const outside = (event) => {
    if (!panel.contains(event.target) && !anchor.contains(event.target)) close({ refocus: false });
  };
  // A phone's keyboard resizes the window, so the panel follows instead of closing.
  const follow = (event) => (event.target instanceof Node && panel.contains(event.target) ? undefined : place(panel, anchor));
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("scroll", follow, true);
  window.addEventListener("resize", follow);
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      // Only the menu closes, not the dialog around it.
      event.preventDefault();
      event.stopPropagation();
      close();
    }
    if (event.key === "Tab") close();
  });
  return { close, place: () => place(panel, anchor) };
}

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/** Moves through `items` with the arrow keys, Home and End; undefined for any other key. */
export function step(key, index, length) {
  if (key in STEPS) return (index + STEPS[key] + length) % length;
  if (key === "Home") return 0;
  if (key === "End") return length - 1;
  return undefined;
}

/**
 * A menu of actions. `items`: `{label, detail?, leading?, href?, checked?, danger?, testid?, run}`.
 * `checked` turns the items into radio items.
 */
export function openMenu(anchor, label, items) {
  const nodes = items.map((item) =>
    h(
      item.href ? "a" : "button",
      {
        class: `menu-item${item.danger ? " danger" : ""}`,
        role: item.checked === undefined ? "menuitem" : "menuitemradio",
        "aria-checked": item.checked === undefined ? null : String(item.checked),
        type: item.href ? null : "button",
        href: item.href,
        target: item.href ? "_blank" : null,
        rel: item.href ? "noopener noreferrer" : null,
        tabindex: "-1",
        "data-testid": item.testid,
        "data-value": item.value,
        on: {
          click: () => {
            menu.close();
            item.run();
          },
        },
      },
      item.leading,
      h("span", { class: "menu-text" }, h("span", null, item.label), item.detail && h("small", null, item.detail)),
      item.checked && icon("check"),
    ),
  );
  const panel = h("div", { class: "menu", role: "menu", "aria-label": label }, nodes);
  panel.addEventListener("keydown", (event) => {
    const next = step(event.key, nodes.indexOf(document.activeElement), nodes.length);
    if (next === undefined) return;
    event.preventDefault();
    nodes[next].focus();
  });
  const menu = popover(anchor, panel);
  (nodes[items.findIndex((item) => item.checked)] ?? nodes[0])?.focus();
  return menu;
}

/** Slack's confirm dialog; resolves to true when the person agrees. */
export function confirmDialog({ title, text, confirm, deny, style }) {
  return new Promise((resolve) => {
    const heading = uid("confirm");
    const finish = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const dialog = h(
      "dialog",
      { class: "dialog confirm", "aria-labelledby": heading, "data-testid": "confirm" },
      h("h2", { id: heading }, title),
      h("div", { class: "confirm-text" }, text),
      h(
        "footer",
        { class: "dialog-foot" },
        h("button", { class: "btn", type: "button", "data-testid": "confirm-deny", on: { click: () => finish(false) } }, deny),
        h(
          "button",
          {
            class: `btn ${style === "danger" ? "danger-solid" : "primary"}`,
            type: "button",
            autofocus: true,
            "data-testid": "confirm-ok",
            on: { click: () => finish(true) },
          },
          confirm,
        ),
      ),
    );
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      finish(false);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Screen readers hear this; the page does not show it. */
export function announce(text) {
  const region = document.getElementById("announcer");
  region.replaceChildren(h("p", null, text));
}
