// Block Kit's interactive elements. Each keeps its value in the surface it
// stands on, so that a redraw by the bot does not lose what was typed.

import { confirmDialog, h, icon, openMenu, popover, step, uid } from "./dom.js";
import { safeUrl, textOf, wordsOf } from "./mrkdwn.js";

/** The values of one view or message, in the shape of Slack's `state`. */
export class Values {
  #blocks = new Map();

  get(blockId, actionId) {
    return this.#blocks.get(blockId)?.get(actionId);
  }

  set(blockId, actionId, value) {
    if (!this.#blocks.has(blockId)) this.#blocks.set(blockId, new Map());
    this.#blocks.get(blockId).set(actionId, value);
  }

  /** Forgets blocks that are no longer shown. */
  keepOnly(blockIds) {
    for (const id of this.#blocks.keys()) if (!blockIds.has(id)) this.#blocks.delete(id);
  }

  toJSON() {
    const values = [...this.#blocks].map(([id, actions]) => [id, Object.fromEntries(actions)]);
    return { values: Object.fromEntries(values) };
  }
}

// `ctx` below is `{surface, block, dispatch, label, labelId?, describedBy?, required?}`:
// where the element stands, whether a change is sent to the bot, and what it is called.

/** What the bot or the server said, beside the control that caused it. */
function showError(control, text) {
  const block = control.closest(".block");
  block?.querySelector(":scope > .action-error")?.remove();
  if (text) block?.append(h("p", { class: "action-error", role: "alert" }, icon("alert"), text));
}

/** Sends an action once; false if the person said no in the confirm dialog. */
async function send(el, ctx, control, payload) {
  if (control.getAttribute("aria-busy") === "true") return true;
  if (el.confirm) {
    const { title, text, confirm, deny, style } = el.confirm;
    const agreed = await confirmDialog({
      title: textOf(title), text: textOf(text), confirm: textOf(confirm), deny: textOf(deny), style,
    });
    if (!agreed) return false;
  }
  showError(control, null);
  // Not `disabled`: that would throw the keyboard focus away.
  control.setAttribute("aria-busy", "true");
  control.setAttribute("aria-disabled", "true");
  const answer = await ctx.surface.act({ block_id: ctx.block.block_id, action_id: el.action_id, type: el.type, ...payload });
  control.removeAttribute("aria-busy");
  control.removeAttribute("aria-disabled");
  if (!answer.ok) showError(control, answer.error);
  return true;
}

/** The value of one element: read, changed, sent if its place asks for it. */
function field(el, ctx, initial) {
  const { values, saved } = ctx.surface;
  const { block_id: block } = ctx.block;
  const known = values.get(block, el.action_id) ?? saved?.values?.[block]?.[el.action_id];
  const put = (value) => values.set(block, el.action_id, { type: el.type, ...value });
  put(known?.type === el.type ? known : initial);
  const get = () => values.get(block, el.action_id);
  return {
    get,
    put,
    async change(control, value, redraw) {
      const before = get();
      put(value);
      redraw?.();
      if (ctx.dispatch && !(await send(el, ctx, control, value))) {
        put(before);
        redraw?.();
      }
    },
  };
}

/** What a control is called where the bot gave it neither label nor placeholder. */
const NAMES = {
  __proto__: null,
  datepicker: "Date",
  timepicker: "Time",
  checkboxes: "Options",
  radio_buttons: "Choose one",
};

/** The attributes that name a form control for assistive technology. */
function named(ctx, el) {
  return {
    id: ctx.inputId,
    "data-action-id": el.action_id,
    "aria-labelledby": ctx.labelId,
    "aria-label": ctx.labelId ? null : ctx.label || wordsOf(el.placeholder) || NAMES[el.type],
    "aria-describedby": ctx.describedBy,
    "aria-required": ctx.required && el.type !== "checkboxes" ? "true" : null,
    "data-autofocus": el.focus_on_load ? "true" : null,
  };
}

// ---- Buttons and menus

function button(el, ctx) {
  const href = el.url ? safeUrl(el.url) : null;
  const props = {
    class: `btn ${el.style ?? ""}`,
    "aria-label": el.accessibility_label,
    "data-action-id": el.action_id,
  };
  const click = () => send(el, ctx, node, { value: el.value });
  const open = async (event) => {
    // The new page must open inside the click, so only a confirmation delays it.
    if (el.confirm) event.preventDefault();
    if ((await click()) && el.confirm) window.open(href, "_blank", "noopener");
  };
  const node = href
    ? h("a", { ...props, href, target: "_blank", rel: "noopener noreferrer", on: { click: open } }, textOf(el.text))
    : h("button", { ...props, type: "button", on: { click } }, textOf(el.text));
  return node;
}

function overflow(el, ctx) {
  const label = ctx.label ? `More actions: ${ctx.label}` : "More actions";
  const node = h(
    "button",
    {
      class: "btn overflow", type: "button", "aria-label": label, title: "More actions",
      "aria-haspopup": "menu", "aria-expanded": "false", "data-action-id": el.action_id,
      on: { click: () => openMenu(node, label, items()) },
    },
    icon("more"),
  );
  const items = () =>
    el.options.map((option) => ({
      label: textOf(option.text),
      detail: option.description && textOf(option.description),
      href: option.url && safeUrl(option.url),
      value: option.value,
      run: () => send(el, ctx, node, { selected_option: option }),
    }));
  return node;
}

// ---- Selects

/** Where each kind of select keeps its value and finds its options. */
const SELECTS = {
  __proto__: null,
  static_select: { one: "option", source: "static" },
  external_select: { one: "option", source: "external" },
  users_select: { one: "user", source: "people" },
  channels_select: { one: "channel", source: "channels" },
  conversations_select: { one: "conversation", source: "conversations" },
};

const kindOf = (el) => {
  const multi = el.type.startsWith("multi_");
  return { multi, ...SELECTS[multi ? el.type.slice("multi_".length) : el.type] };
};

const asOption = (value, label) => ({ text: { type: "plain_text", text: label }, value });

/** The options of a select as groups: `[{label?, options}]`. */
function ownGroups(el, source, world) {
  if (source === "static") return el.option_groups ?? [{ options: el.options ?? [] }];
  const people = world.people.map((p) => asOption(p.id, p.real_name || p.name));
  const channels = world.channels.map((c) => asOption(c.id, `#${c.name}`));
  const direct = world.people.map((p) => asOption(p.dm, p.real_name || p.name));
  return [{ options: { people, channels, conversations: [...channels, ...direct] }[source] }];
}

const matches = (option, query) => wordsOf(option.text).toLowerCase().includes(query.trim().toLowerCase());

function select(el, ctx) {
  const { multi, one, source } = kindOf(el);
  const key = multi ? `selected_${one}s` : `selected_${one}`;
  const initialKey = key.replace("selected", "initial");
  const plain = one !== "option";
  const groups = source === "external" ? [] : ownGroups(el, source, ctx.surface.world());
  const everything = groups.flatMap((group) => group.options);
  const toOption = (value) => (plain ? everything.find((option) => option.value === value) ?? asOption(value, value) : value);
  const state = field(el, ctx, { [key]: el[initialKey] ?? (multi ? [] : null) });
  const chosen = () => [state.get()[key] ?? []].flat().map(toOption);
  const toValue = (options) => {
    const values = options.map((option) => (plain ? option.value : option));
    return { [key]: multi ? values : values[0] ?? null };
  };

  const shown = h("span", { class: "select-value" });
  const node = h(
    "button",
    { ...named(ctx, el), class: "select", type: "button", role: "combobox", "aria-haspopup": "listbox", "aria-expanded": "false", on: { click: () => openPicker() } },
    shown,
    icon("down"),
  );
  const draw = () => {
    const options = chosen();
    shown.classList.toggle("unset", options.length === 0);
    shown.replaceChildren(
      ...(options.length
        ? options.map((option) => h("span", { class: multi ? "chip" : null }, textOf(option.text)))
        : [h("span", null, wordsOf(el.placeholder) || "Choose")]),
    );
  };
  const load = async (query) => {
    if (source !== "external") {
      return { groups: groups.map((group) => ({ ...group, options: group.options.filter((option) => matches(option, query)) })) };
    }
    if (query.length < (el.min_query_length ?? 3)) return { note: `Type at least ${el.min_query_length ?? 3} letters.` };
    const answer = await ctx.surface.suggest({ block_id: ctx.block.block_id, action_id: el.action_id, value: query });
    if (answer.ok === false) return { note: answer.error };
    return { groups: answer.option_groups?.length ? answer.option_groups : [{ options: answer.options ?? [] }] };
  };
  const openPicker = () => {
    const before = JSON.stringify(state.get());
    picker(node, {
      label: ctx.label || wordsOf(el.placeholder),
      multi,
      filter: source === "external" || everything.length > 8,
      load,
      selected: (option) => chosen().some((o) => o.value === option.value),
      choose: (option) => {
        if (!multi) return state.change(node, toValue([option]), draw);
        const others = chosen().filter((o) => o.value !== option.value);
        const next = others.length < chosen().length ? others : [...others, option];
        if (el.max_selected_items && next.length > el.max_selected_items) return undefined;
        state.put(toValue(next));
        return draw();
      },
      // Several are chosen in one go; they are sent when the list closes.
      closed: () => multi && before !== JSON.stringify(state.get()) && state.change(node, toValue(chosen()), draw),
    });
  };
  draw();
  return node;
}

/** A list to choose from, with typeahead where it is long or comes from the bot. */
function picker(anchor, { label, multi, filter, load, selected, choose, closed }) {
  const listId = uid("list");
  const list = h("div", { class: "picker-list", role: "listbox", id: listId, "aria-label": label, "aria-multiselectable": multi ? "true" : null, tabindex: filter ? null : "0" });
  const note = h("p", { class: "picker-note", role: "status" });
  const input = filter
    ? h("input", {
        class: "picker-filter", type: "text", role: "combobox", placeholder: "Type to search", "aria-label": `Search: ${label}`,
        "aria-expanded": "true", "aria-controls": listId, "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false",
        "data-testid": "picker-filter",
      })
    : null;
  const keys = input ?? list;
  const panel = h("div", { class: "menu picker", "data-testid": "picker" }, input, list, note);
  const menu = popover(anchor, panel, () => {
    anchor.removeAttribute("aria-controls");
    closed();
  });
  anchor.setAttribute("aria-controls", listId);
  let rows = [];
  let active = -1;

  const point = (index) => {
    rows[active]?.node.classList.remove("active");
    active = index;
    const row = rows[active];
    row?.node.classList.add("active");
    row?.node.scrollIntoView({ block: "nearest" });
    if (row) keys.setAttribute("aria-activedescendant", row.node.id);
    else keys.removeAttribute("aria-activedescendant");
  };
  const pick = ({ option }) => {
    if (!multi) menu.close();
    choose(option);
    for (const row of rows) row.node.setAttribute("aria-selected", String(selected(row.option)));
  };
  const optionNode = (option) => {
    const node = h(
      "div",
      { class: "option", role: "option", id: uid("option"), "aria-selected": String(selected(option)), "data-value": option.value },
      h("span", { class: "menu-text" }, h("span", null, textOf(option.text)), option.description && h("small", null, textOf(option.description))),
      icon("check"),
    );
    const row = { option, node };
    node.addEventListener("click", () => pick(row));
    node.addEventListener("pointermove", () => active !== rows.indexOf(row) && point(rows.indexOf(row)));
    rows.push(row);
    return node;
  };
  const groupNode = (group) => {
    const nodes = group.options.map(optionNode);
    if (!group.label || !nodes.length) return nodes;
    const id = uid("group");
    return h("div", { role: "group", "aria-labelledby": id }, h("div", { class: "picker-group", id }, textOf(group.label)), nodes);
  };

  let asked = 0;
  const refresh = async () => {
    const turn = ++asked;
    const slow = setTimeout(() => (note.textContent = "Searching…"), 150);
    const found = await load(input?.value ?? "");
    clearTimeout(slow);
    if (turn !== asked) return;
    rows = [];
    list.replaceChildren(...(found.groups ?? []).map(groupNode).flat());
    note.textContent = found.note ?? (rows.length ? "" : "Nothing found.");
    point(rows.findIndex((row) => selected(row.option)));
    if (active < 0 && rows.length) point(0);
    menu.place();
  };

  keys.addEventListener("keydown", (event) => {
    const isMove = event.key.startsWith("Arrow") || (!input && ["Home", "End"].includes(event.key));
    const next = isMove ? step(event.key, active, rows.length) : undefined;
    if (next !== undefined && rows.length) {
      event.preventDefault();
      point(next);
    } else if (event.key === "Enter" || (!input && event.key === " ")) {
      event.preventDefault();
      if (rows[active]) pick(rows[active]);
    } else if (!input && event.key.length === 1) {
      const first = rows.findIndex((row, i) => i > active && wordsOf(row.option.text).toLowerCase().startsWith(event.key.toLowerCase()));
      if (first >= 0) point(first);
    }
  });
  let typing;
  input?.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(refresh, 150);
  });
  keys.focus();
  refresh();
}

// ---- Typed values

const INPUT_TYPES = { __proto__: null, number_input: "text", email_text_input: "email", url_text_input: "url" };

/** A control that grows with its text. */
export function autogrow(area) {
  const grow = () => {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
  };
  area.addEventListener("input", grow);
  requestAnimationFrame(grow);
  return grow;
}

function textInput(el, ctx) {
  const state = field(el, ctx, { value: el.initial_value ?? null });
  const props = {
    ...named(ctx, el), class: "input", placeholder: wordsOf(el.placeholder) || null, autocomplete: "off",
  };
  const input = el.multiline
    ? h("textarea", { ...props, rows: "3" })
    : h("input", { ...props, type: INPUT_TYPES[el.type] ?? "text", inputmode: el.type === "number_input" ? "decimal" : null });
  input.value = state.get().value ?? "";
  if (el.multiline) autogrow(input);

  const triggers = el.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  const count = h("span", { class: "counter", "aria-hidden": "true" });
  const draw = () => {
    const most = el.max_length ?? Infinity;
    const left = most - input.value.length;
    // Only when the end is near: otherwise it is noise.
    count.textContent = left <= Math.min(20, most / 5) ? String(left) : "";
    count.classList.toggle("over", left < 0);
  };
  let later;
  input.addEventListener("input", () => {
    state.put({ value: input.value || null });
    draw();
    if (ctx.dispatch && triggers.includes("on_character_entered")) {
      clearTimeout(later);
      later = setTimeout(() => send(el, ctx, input, { value: input.value }), 300);
    }
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    if (ctx.dispatch && triggers.includes("on_enter_pressed") && !el.multiline) {
      event.preventDefault();
      send(el, ctx, input, { value: input.value });
    } else if (el.multiline && (event.metaKey || event.ctrlKey)) {
      input.form?.requestSubmit();
    }
  });
  draw();
  return h("div", { class: "input-wrap" }, input, count);
}

/** The browser's own pickers: they know the person's keyboard and calendar. */
function moment(el, ctx, { type, key, initial }) {
  const state = field(el, ctx, { [key]: el[initial] ?? null });
  const input = h("input", { ...named(ctx, el), class: "input moment", type });
  input.value = state.get()[key] ?? "";
  let later;
  const sendLater = (delay) => {
    clearTimeout(later);
    // Each typed digit is a change; the bot gets the one that stays.
    later = setTimeout(() => input.dataset.dirty && state.change(input, { [key]: input.value || null }, () => delete input.dataset.dirty), delay);
  };
  input.addEventListener("change", () => {
    state.put({ [key]: input.value || null });
    input.dataset.dirty = "true";
    sendLater(600);
  });
  input.addEventListener("blur", () => sendLater(0));
  return input;
}

const weekday = (day) =>
  day ? new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short" }).format(new Date(`${day}T12:00Z`)) : "";

/** The day in words beside it: browsers write dates in as many orders as there are countries. */
function datepicker(el, ctx) {
  const input = moment(el, ctx, { type: "date", key: "selected_date", initial: "initial_date" });
  const words = h("span", { class: "zone" }, weekday(input.value));
  input.addEventListener("input", () => (words.textContent = weekday(input.value)));
  return h("div", { class: "with-zone" }, input, words);
}

function zoneName(timeZone) {
  try {
    const parts = new Intl.DateTimeFormat("en-GB", { timeZone, timeZoneName: "short" }).formatToParts(new Date());
    return parts.find((part) => part.type === "timeZoneName").value;
  } catch {
    return timeZone;
  }
}

function timepicker(el, ctx) {
  const input = moment(el, ctx, { type: "time", key: "selected_time", initial: "initial_time" });
  return el.timezone ? h("div", { class: "with-zone" }, input, h("span", { class: "zone" }, zoneName(el.timezone))) : input;
}

// ---- Choices

function choices(el, ctx) {
  const single = el.type === "radio_buttons";
  const key = single ? "selected_option" : "selected_options";
  const state = field(el, ctx, single ? { [key]: el.initial_option ?? null } : { [key]: el.initial_options ?? [] });
  const name = uid("choice");
  const inputs = el.options.map((option) =>
    h("input", { type: single ? "radio" : "checkbox", name, value: option.value, on: { change: () => changed() } }),
  );
  const draw = () => {
    const chosen = [state.get()[key] ?? []].flat().map((option) => option.value);
    for (const input of inputs) input.checked = chosen.includes(input.value);
  };
  const changed = () => {
    const chosen = el.options.filter((_, i) => inputs[i].checked);
    state.change(group, { [key]: single ? chosen[0] ?? null : chosen }, draw);
  };
  const group = h(
    "fieldset",
    { ...named(ctx, el), class: "choices", role: single ? "radiogroup" : "group" },
    el.options.map((option, i) =>
      h(
        "label",
        { class: "choice" },
        inputs[i],
        h("span", { class: "menu-text" }, h("span", null, textOf(option.text)), option.description && h("small", null, textOf(option.description))),
      ),
    ),
  );
  draw();
  return group;
}

/** A picture from this server; anything else stays its description, as nothing leaves the machine. */
export function picture({ image_url: url, alt_text: alt }, className) {
  const described = () => h("span", { class: `${className} no-image`, role: "img", "aria-label": alt }, alt);
  const src = url && safeUrl(url);
  if (!src || new URL(src).origin !== location.origin) return described();
  const image = h("img", { class: className, src, alt });
  image.addEventListener("error", () => image.replaceWith(described()));
  return image;
}

const ELEMENTS = {
  __proto__: null,
  button,
  overflow,
  datepicker,
  timepicker,
  checkboxes: choices,
  radio_buttons: choices,
  plain_text_input: textInput,
  number_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
  image: (el) => picture(el, "thumb"),
};

/** Any element; a kind this page does not know becomes a labelled box. */
export function element(el, ctx) {
  if (ELEMENTS[el.type]) return ELEMENTS[el.type](el, ctx);
  if (kindOf(el).source) return select(el, ctx);
  return h("span", { class: "unknown", "data-action-id": el.action_id }, `Element “${el.type}” is not drawn here`);
}

// ---- Validation, as Slack's client does it before anything is sent

const CHECKS = {
  __proto__: null,
  email_text_input: (value) => (/^\S+@\S+\.\S+$/.test(value) ? null : "Enter an e-mail address, like name@example.com."),
  url_text_input: (value) => (/^https?:\/\/\S+$/.test(value) ? null : "Enter an address that begins with https://."),
  number_input: (value, el) => {
    const number = Number(value.replace(",", "."));
    if (!Number.isFinite(number)) return "Enter a number.";
    if (!el.is_decimal_allowed && !Number.isInteger(number)) return "Enter a whole number.";
    if (el.min_value !== undefined && number < Number(el.min_value)) return `Enter ${el.min_value} or more.`;
    if (el.max_value !== undefined && number > Number(el.max_value)) return `Enter ${el.max_value} or less.`;
    return null;
  },
};

const isEmpty = (state) =>
  Object.entries(state).every(([key, value]) => key === "type" || value === null || value === undefined || value.length === 0);

/** What is wrong with an input block's value, or null. */
export function problem(block, values) {
  const { element: el } = block;
  const state = values.get(block.block_id, el.action_id);
  if (!state || isEmpty(state)) return block.optional ? null : "Please complete this required field.";
  if (typeof state.value !== "string") return null;
  if (el.min_length && state.value.length < el.min_length) return `Use at least ${el.min_length} characters.`;
  if (el.max_length && state.value.length > el.max_length) {
    return `${el.max_length} characters are the limit; this is ${state.value.length}.`;
  }
  return CHECKS[el.type]?.(state.value, el) ?? null;
}
