// Text: Slack's mrkdwn, plain text with emoji, the markdown block and rich text.

import { h } from "./dom.js";

// No prototype: names come from text, and "constructor" is not an emoji.
const EMOJI = {
  __proto__: null,
  warning: "⚠️", stopwatch: "⏱️", timer_clock: "⏲️", alarm_clock: "⏰", calendar: "📆", date: "📅",
  white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", eyes: "👀", eye: "👁️", wave: "👋", tada: "🎉",
  bulb: "💡", bell: "🔔", lock: "🔒", pencil2: "✏️", memo: "📝", hourglass: "⌛", rocket: "🚀",
  "+1": "👍", thumbsup: "👍", smile: "😄", slightly_smiling_face: "🙂", moneybag: "💰", chart_with_upwards_trend: "📈",
  information_source: "ℹ️", gear: "⚙️", link: "🔗", receipt: "🧾", coffee: "☕", house: "🏠",
};

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const unescape = (text) => text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);

/** What names mentions; set once the workspace is known. */
let directory = { person: () => undefined, channel: () => undefined, channelByName: () => undefined };
export const setDirectory = (next) => {
  directory = next;
};

/** Only whole addresses that a browser may open; `javascript:` and the like become plain text. */
export function safeUrl(url) {
  try {
    const parsed = new URL(url);
    return ["http:", "https:", "mailto:"].includes(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}

export function link(url, label) {
  const href = safeUrl(url);
  return href ? h("a", { href, target: "_blank", rel: "noopener noreferrer" }, label) : h("span", null, label);
}

/**
 * Text bars are pictures made of letters. They are kept as letters, as in
 * Slack, but hidden from screen readers: the number always stands beside them.
 */
function withBars(text) {
  return text.split(/([▁-█░▒▓]{2,})/).map((part, i) => (i % 2 ? h("span", { class: "bar", "aria-hidden": "true" }, part) : part));
}

const withEmoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);

const literal = (text) => withBars(withEmoji(unescape(text))).filter((part) => part !== "");

const mention = (label) => h("span", { class: "mention" }, label);

const DATE_PARTS = {
  __proto__: null,
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  time: { hour: "2-digit", minute: "2-digit" },
  time_secs: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
};

/** `<!date^1795177805^{date_short} at {time}|fallback>` */
function date(parts, fallback) {
  const [, seconds, format = ""] = parts;
  const when = new Date(Number(seconds) * 1000);
  if (Number.isNaN(when.getTime())) return fallback;
  return format.replace(/\{(\w+?)(?:_pretty)?\}/g, (whole, name) =>
    DATE_PARTS[name] ? new Intl.DateTimeFormat("en-GB", DATE_PARTS[name]).format(when) : whole,
  );
}

/** What stands between `<` and `>`. */
function angle(inner) {
  const [target, label] = inner.split(/\|(.*)/s);
  if (target.startsWith("@")) return mention(`@${directory.person(target.slice(1)) ?? (label ? unescape(label) : target.slice(1))}`);
  if (target.startsWith("#")) return mention(`#${directory.channel(target.slice(1)) ?? (label ? unescape(label) : target.slice(1))}`);
  if (target.startsWith("!date")) return date(target.split("^"), label ? unescape(label) : "");
  if (target.startsWith("!")) return mention(label ? unescape(label) : `@${target.slice(1).split("^")[0]}`);
  if (!label && !safeUrl(unescape(target))) return `<${unescape(inner)}>`;
  return link(unescape(target), label ? literal(label) : unescape(target).replace(/^mailto:/, ""));
}

const TAGS = { "*": "strong", _: "em", "~": "s", "`": "code" };
const OPENS_AFTER = /[\s([{"'“‘«—–\-*_~·,.:;!?/>|]/;
const WORD = /[\p{L}\p{N}]/u;
// Placed before a formatting sign, it makes the sign an ordinary letter.
const NEUTRAL = "\u2060";

/** Where the run opened at `start` ends, or -1 if the sign stands for itself. */
function closing(text, start) {
  const sign = text[start];
  const before = text[start - 1];
  if (before !== undefined && !OPENS_AFTER.test(before)) return -1;
  if (sign !== "`" && /\s/.test(text[start + 1] ?? " ")) return -1;
  for (let i = start + 1; i < text.length && text[i] !== "\n"; i++) {
    if (text[i] === "<" && sign !== "`") i = Math.max(i, text.indexOf(">", i));
    if (text[i] !== sign || i === start + 1) continue;
    if (text[i - 1] === NEUTRAL || (sign !== "`" && /\s/.test(text[i - 1]))) continue;
    if (text[i + 1] !== undefined && WORD.test(text[i + 1])) continue;
    return i;
  }
  return -1;
}

/** Without `verbatim`, Slack turns bare addresses and channel names into links. */
function autolinked(text) {
  return text.split(/(https?:\/\/[^\s<>]+[^\s<>.,;:!?)]|(?<![\p{L}\p{N}])#[\p{L}\p{N}_-]+)/u).map((part, i) => {
    if (i % 2 === 0) return literal(part);
    if (part.startsWith("#")) return directory.channelByName(part.slice(1)) ? mention(part) : part;
    return link(unescape(part), unescape(part));
  });
}

function inline(text, verbatim) {
  const out = [];
  let plain = 0;
  const flush = (end) => {
    if (end > plain) out.push(verbatim ? literal(text.slice(plain, end)) : autolinked(text.slice(plain, end)));
  };
  for (let i = 0; i < text.length; i++) {
    const sign = text[i];
    const isAngle = sign === "<";
    const end = isAngle ? text.indexOf(">", i) : TAGS[sign] ? closing(text, i) : -1;
    if (end < 0 || (isAngle && end === i + 1)) continue;
    flush(i);
    const inner = text.slice(i + 1, end);
    if (isAngle) out.push(angle(inner));
    else if (sign === "`") out.push(h("code", null, unescape(inner)));
    else out.push(h(TAGS[sign], null, inline(inner, verbatim)));
    i = end;
    plain = end + 1;
  }
  flush(text.length);
  return out;
}

const QUOTE = /^(?:&gt;|>) ?/;

/** Lines of text, with quotes gathered into blocks. */
function lines(text, verbatim) {
  const out = [];
  let pending = [];
  let quoted = false;
  const flush = () => {
    if (!pending.length) return;
    const body = inline(pending.join("\n"), verbatim);
    out.push(quoted ? h("blockquote", null, body) : body);
    pending = [];
  };
  for (const line of text.split("\n")) {
    const isQuote = QUOTE.test(line);
    if (isQuote !== quoted) flush();
    quoted = isQuote;
    pending.push(isQuote ? line.replace(QUOTE, "") : line);
  }
  flush();
  return out;
}

/** mrkdwn → nodes. */
export function mrkdwn(text, { verbatim = false } = {}) {
  return text.split(/```\n?([\s\S]*?)\n?```/).map((part, i, parts) => {
    if (i % 2) return h("pre", null, unescape(part));
    // A block has its own line; the breaks around it would make empty ones.
    let rest = i > 0 ? part.replace(/^\n/, "") : part;
    if (i < parts.length - 1) rest = rest.replace(/\n$/, "");
    return rest ? lines(rest, verbatim) : null;
  });
}

/** A text object of either kind → nodes. */
export function textOf(object) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text, { verbatim: object.verbatim });
  return withBars(object.emoji === false ? object.text : withEmoji(object.text));
}

/** A text object → the words alone, for labels and comparisons. */
export const wordsOf = (object) => h("span", null, textOf(object)).textContent;

// ---- The markdown block: ordinary Markdown, the parts that appear in messages.

const MARKDOWN = /(`+)(.+?)\1|\*\*(.+?)\*\*|__(.+?)__|~~(.+?)~~|\*(\S.*?)\*|(?<!\w)_(\S.*?)_(?!\w)|\[([^\]]+)\]\(([^)\s]+)\)/s;

function markdownInline(text) {
  const found = MARKDOWN.exec(text);
  if (!found) return text ? literal(text) : [];
  const [whole, , code, strong, strong2, strike, em, em2, label, url] = found;
  let node;
  if (code !== undefined) node = h("code", null, code);
  else if (strong ?? strong2) node = h("strong", null, markdownInline(strong ?? strong2));
  else if (strike) node = h("s", null, markdownInline(strike));
  else if (em ?? em2) node = h("em", null, markdownInline(em ?? em2));
  else node = link(url, markdownInline(label));
  return [literal(text.slice(0, found.index)), node, markdownInline(text.slice(found.index + whole.length))];
}

const LINE_KINDS = [
  { kind: "ul", test: /^\s*[-*+] (.*)$/ },
  { kind: "ol", test: /^\s*\d+[.)] (.*)$/ },
  { kind: "blockquote", test: /^> ?(.*)$/ },
  { kind: "heading", test: /^(#{1,6}) +(.*)$/ },
  { kind: "hr", test: /^\s*(?:---+|\*\*\*+)\s*$/ },
];

function lineKind(line) {
  for (const { kind, test } of LINE_KINDS) {
    const found = test.exec(line);
    if (found) return { kind, level: found[1]?.length, body: found.at(-1) };
  }
  return { kind: line.trim() ? "p" : "blank", body: line };
}

function markdownGroup(kind, group) {
  if (kind === "hr") return h("hr");
  if (kind === "heading") return group.map(({ level, body }) => h(`h${Math.min(6, level + 2)}`, null, markdownInline(body)));
  if (kind === "ul" || kind === "ol") return h(kind, null, group.map(({ body }) => h("li", null, markdownInline(body))));
  return h(kind, null, markdownInline(group.map(({ body }) => body).join("\n")));
}

export function markdown(text) {
  return text.split(/^```.*\n([\s\S]*?)\n?```$/m).map((part, i) => {
    if (i % 2) return h("pre", null, part);
    const groups = [];
    for (const line of part.split("\n").map(lineKind)) {
      const last = groups.at(-1);
      if (last?.kind === line.kind) last.lines.push(line);
      else groups.push({ kind: line.kind, lines: [line] });
    }
    return groups.filter(({ kind }) => kind !== "blank").map(({ kind, lines: group }) => markdownGroup(kind, group));
  });
}

// ---- Rich text.

const STYLES = { bold: "strong", italic: "em", strike: "s", underline: "u", code: "code", highlight: "mark" };

function styled(node, style = {}) {
  return Object.entries(STYLES).reduce((inner, [name, tag]) => (style[name] ? h(tag, null, inner) : inner), node);
}

const RICH_INLINE = {
  __proto__: null,
  text: (el) => withBars(el.text),
  link: (el) => link(el.url, el.text ?? el.url),
  emoji: (el) => EMOJI[el.name] ?? `:${el.name}:`,
  user: (el) => mention(`@${directory.person(el.user_id) ?? el.user_id}`),
  channel: (el) => mention(`#${directory.channel(el.channel_id) ?? el.channel_id}`),
  usergroup: (el) => mention(`@${el.usergroup_id}`),
  broadcast: (el) => mention(`@${el.range}`),
  date: (el) => date(["", el.timestamp, el.format], el.fallback ?? ""),
  color: (el) => el.value,
};

const richInline = (elements = []) =>
  elements.map((el) => (RICH_INLINE[el.type] ? styled(RICH_INLINE[el.type](el), el.style) : `[${el.type}]`));

function richPart(part) {
  switch (part.type) {
    case "rich_text_list":
      return h(
        part.style === "ordered" ? "ol" : "ul",
        { start: part.offset ? part.offset + 1 : null, class: part.indent ? `indent-${Math.min(part.indent, 4)}` : null },
        (part.elements ?? []).map((item) => h("li", null, richInline(item.elements))),
      );
    case "rich_text_preformatted":
      return h("pre", null, richInline(part.elements));
    case "rich_text_quote":
      return h("blockquote", null, richInline(part.elements));
    default:
      return h("p", null, richInline(part.elements));
  }
}

export const richText = (block) => (block.elements ?? []).map(richPart);
