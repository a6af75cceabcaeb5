// Block Kit's layout blocks.

import { h, icon, svg, uid } from "./dom.js";
import { element, picture } from "./elements.js";
import { markdown, richText, textOf, wordsOf } from "./mrkdwn.js";

const heading = (surface, level = 1) => `h${Math.min(6, surface.headingLevel + level - 1)}`;

const header = (block, surface) => h(heading(surface, block.level), { class: `header level-${block.level ?? 1}` }, textOf(block.text));

function section(block, surface) {
  const label = block.text ? wordsOf(block.text).split("\n")[0].trim() : "";
  return h(
    "div",
    { class: "section" },
    h(
      "div",
      { class: "section-body" },
      block.text && h("div", { class: "text" }, textOf(block.text)),
      block.fields && h("div", { class: "fields" }, block.fields.map((item) => h("div", { class: "text" }, textOf(item)))),
    ),
    block.accessory &&
      h(
        "div",
        { class: "accessory" },
        block.accessory.type === "image"
          ? picture(block.accessory, "accessory-image")
          : element(block.accessory, { surface, block, dispatch: true, label }),
      ),
  );
}

const context = (block) =>
  h(
    "div",
    { class: "context" },
    block.elements.map((item) => (item.type === "image" ? picture(item, "context-image") : h("span", { class: "text" }, textOf(item)))),
  );

const actions = (block, surface) =>
  h("div", { class: "actions" }, block.elements.map((el) => element(el, { surface, block, dispatch: true, label: "" })));

function input(block, surface) {
  const labelId = uid("label");
  const inputId = uid("input");
  const hintId = block.hint ? uid("hint") : null;
  const errorId = uid("error");
  const ctx = {
    surface,
    block,
    dispatch: block.dispatch_action === true,
    label: wordsOf(block.label),
    labelId,
    inputId,
    describedBy: [errorId, hintId].filter(Boolean).join(" "),
    required: !block.optional,
  };
  return h(
    "div",
    { class: "field" },
    h("label", { id: labelId, for: inputId }, textOf(block.label), block.optional && h("span", { class: "optional" }, " (optional)")),
    element(block.element, ctx),
    h("p", { class: "field-error", id: errorId, hidden: true }),
    block.hint && h("p", { class: "hint", id: hintId }, textOf(block.hint)),
  );
}

const image = (block) =>
  h("figure", { class: "image" }, block.title && h("figcaption", null, textOf(block.title)), picture(block, "block-image"));

const ALERT_WORDS = { __proto__: null, warning: "Warning", error: "Error", success: "Done", info: "Note" };

const alert = (block) =>
  h(
    "div",
    { class: `alert ${block.level in ALERT_WORDS ? block.level : "info"}`, role: "note" },
    icon(block.level === "success" ? "check" : "alert"),
    h("div", { class: "text" }, h("span", { class: "sr-only" }, `${ALERT_WORDS[block.level] ?? "Note"}: `), textOf(block.text)),
  );

// ---- Tables

function cell(item, tag, align, block, surface) {
  const body = {
    rich_text: () => richText(item),
    action_cell: () => element(item.element, { surface, block, dispatch: true, label: "" }),
  }[item.type];
  return h(
    tag,
    { class: `align-${align ?? (item.type === "raw_number" ? "right" : "left")}`, scope: tag === "th" ? "col" : null },
    body ? body() : item.text,
  );
}

function table(block, surface) {
  const settings = block.column_settings ?? [];
  const row = (items, tag) => h("tr", null, items.map((item, i) => cell(item, tag, settings[i]?.align, block, surface)));
  const [first, ...rest] = block.rows;
  return h(
    "div",
    { class: "table-scroll", tabindex: "0", role: "group", "aria-label": block.caption ?? `Table: ${first.map((item) => item.text ?? "").join(", ")}` },
    h(
      "table",
      null,
      block.caption && h("caption", null, block.caption),
      h("thead", null, row(first, "th")),
      h("tbody", null, rest.map((items) => row(items, "td"))),
    ),
  );
}

// ---- Charts: a simple drawing, and the same numbers as a table for everyone who cannot see it

const WIDTH = 480;
const HEIGHT = 200;
const PLOT = { left: 8, right: 8, top: 20, bottom: 24 };

const number = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 2 });

const svgText = (x, y, text, anchor = "middle") => svg("text", { x, y, "text-anchor": anchor }, text);

function pie({ segments }) {
  const total = segments.reduce((sum, { value }) => sum + value, 0);
  let angle = -Math.PI / 2;
  const at = (a) => `${100 + 90 * Math.cos(a)} ${100 + 90 * Math.sin(a)}`;
  return svg(
    "svg",
    { class: "chart pie", viewBox: "0 0 200 200", "aria-hidden": "true" },
    segments.map(({ value }, i) => {
      if (value === total) return svg("circle", { class: `series-${i}`, cx: 100, cy: 100, r: 90 });
      const from = angle;
      angle += (value / total) * 2 * Math.PI;
      return svg("path", { class: `series-${i}`, d: `M100 100 L${at(from)} A90 90 0 ${angle - from > Math.PI ? 1 : 0} 1 ${at(angle)} Z` });
    }),
  );
}

/** Scales for the charts with axes. */
function axes({ series, axis_config: { categories } }) {
  const values = series.flatMap(({ data }) => data.map(({ value }) => value));
  const top = Math.max(...values, 0);
  const bottom = Math.min(...values, 0);
  const slot = (WIDTH - PLOT.left - PLOT.right) / categories.length;
  return {
    categories,
    slot,
    x: (i) => PLOT.left + slot * (i + 0.5),
    y: (value) => PLOT.top + ((top - value) / (top - bottom || 1)) * (HEIGHT - PLOT.top - PLOT.bottom),
    valueOf: (one, category) => one.data.find(({ label }) => label === category)?.value,
  };
}

const bars = (series, { categories, slot, x, y, valueOf }) =>
  categories.map((category, c) => {
    const width = Math.min(48, (slot * 0.7) / series.length);
    return series.map((one, s) => {
      const value = valueOf(one, category) ?? 0;
      const left = x(c) + (s - series.length / 2) * width;
      const box = { x: left + 1, width: width - 2, y: Math.min(y(value), y(0)), height: Math.abs(y(value) - y(0)), rx: 2 };
      return [svg("rect", { class: `series-${s}`, ...box }), series.length < 3 && svgText(left + width / 2, box.y - 5, number.format(value))];
    });
  });

const lines = (series, { categories, x, y, valueOf }, filled) =>
  series.map((one, s) => {
    const points = categories.map((category, c) => [x(c), y(valueOf(one, category) ?? 0)]);
    const path = points.map(([px, py]) => `${px} ${py}`).join(" L");
    return [
      filled && svg("path", { class: `area series-${s}`, d: `M${points[0][0]} ${y(0)} L${path} L${points.at(-1)[0]} ${y(0)} Z` }),
      svg("path", { class: `line series-${s}`, d: `M${path}` }),
      points.map(([cx, cy]) => svg("circle", { class: `series-${s}`, cx, cy, r: 3.5 })),
    ];
  });

function plot(chart) {
  const scale = axes(chart);
  return svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    svg("path", { class: "axis", d: `M${PLOT.left} ${scale.y(0)} H${WIDTH - PLOT.right}` }),
    chart.type === "bar" ? bars(chart.series, scale) : lines(chart.series, scale, chart.type === "area"),
    scale.categories.map((category, i) => svgText(scale.x(i), HEIGHT - 6, category)),
  );
}

function numbersOf(chart) {
  if (chart.type === "pie") return { head: ["", "Value"], rows: chart.segments.map(({ label, value }) => [label, number.format(value)]) };
  const { categories, valueOf } = axes(chart);
  return {
    head: ["", ...chart.series.map(({ name }) => name)],
    rows: categories.map((category) => [category, ...chart.series.map((one) => number.format(valueOf(one, category) ?? 0))]),
  };
}

function dataVisualization({ title, chart }) {
  const { head, rows } = numbersOf(chart);
  const names = chart.type === "pie" ? rows.map(([label, value]) => `${label} · ${value}`) : head.slice(1);
  return h(
    "figure",
    { class: "visualization" },
    h("figcaption", null, title),
    h("div", { class: "chart-row" }, chart.type === "pie" ? pie(chart) : plot(chart),
      (chart.type === "pie" || names.length > 1) &&
        h("ul", { class: "legend", "aria-hidden": "true" }, names.map((name, i) => h("li", { class: `series-${i}` }, name)))),
    h(
      "table",
      { class: "sr-only" },
      h("tr", null, head.map((text) => (text ? h("th", { scope: "col" }, text) : h("td", null)))),
      rows.map(([first, ...others]) => h("tr", null, h("th", { scope: "row" }, first), others.map((text) => h("td", null, text)))),
    ),
  );
}

const container = (block, surface) =>
  h(
    "div",
    { class: "container" },
    block.title && h(heading(surface, 2), { class: "header level-2" }, textOf(block.title)),
    block.child_blocks.map((child) => oneBlock(child, surface)),
  );

const BLOCKS = {
  __proto__: null,
  header,
  section,
  context,
  actions,
  input,
  image,
  alert,
  table,
  container,
  data_table: table,
  data_visualization: dataVisualization,
  divider: () => h("hr"),
  markdown: (block) => h("div", { class: "text markdown" }, markdown(block.text)),
  rich_text: (block) => h("div", { class: "text rich" }, richText(block)),
};

const unknown = (block) => h("div", { class: "unknown" }, `Block “${block.type}” is not drawn here`);

function oneBlock(block, surface) {
  let body;
  try {
    body = (BLOCKS[block.type] ?? unknown)(block, surface);
  } catch {
    // One malformed block must not take the others with it.
    body = h("div", { class: "unknown" }, `Block “${block.type}” could not be drawn`);
  }
  return h("div", { class: `block block-${block.type}`, "data-block-id": block.block_id }, body);
}

/**
 * Draws `blocks` for `surface`:
 * `{container, values, saved?, headingLevel, world(), act(payload), suggest(query)}`.
 */
export function renderBlocks(blocks, surface) {
  surface.values.keepOnly(new Set(blocks.flatMap((block) => [block, ...(block.child_blocks ?? [])]).map((block) => block.block_id)));
  return blocks.map((block) => oneBlock(block, surface));
}
