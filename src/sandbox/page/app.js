// The page as a whole: the workspace, the stream of events, and what is shown where.

import { renderBlocks } from "./blocks.js";
import { avatar, clockSays, Composer, Conversation, timeIn } from "./chat.js";
import { announce, confirmDialog, h, icon, keepFocus, openMenu } from "./dom.js";
import { Values } from "./elements.js";
import { Modals } from "./modals.js";
import { setDirectory, wordsOf } from "./mrkdwn.js";
import { Traffic } from "./traffic.js";

const $ = (id) => document.getElementById(id);

const EXAMPLES = [
  "2.5 hours: Meeting",
  "1h30 #acme wireframes",
  "9-11:30 workshop",
  "yesterday 45m: code review",
  "2 planning",
  "start icon set",
  "week",
  "edit",
  "undo",
  "help",
];

const state = {
  world: null,
  user: null,
  /** `#home`, `#messages`, or a channel's id. */
  place: null,
  conversations: {},
  home: null,
  unread: new Set(),
  connections: 0,
};

const me = () => state.world.people.find((person) => person.id === state.user);
/** Whether the app is in the workspace that is shown. */
const isInstalled = () => state.world.installed[state.world.team.id];
const channelShown = () => (state.place === "#messages" ? me().dm : state.place === "#home" ? null : state.place);

// ---- Talking to the server

const ERRORS = {
  __proto__: null,
  operation_timeout: (app) => `${app} did not answer in time. Please try again.`,
  dispatch_failed: (app) => `${app} is not connected, so this did not reach it. Please try again in a moment.`,
  not_admin: (app) => `Only an admin may remove ${app}.`,
  unreachable: () => "The demo server cannot be reached, so nothing was sent.",
};

/** Posts as the acting person; never throws: `error` is a sentence to show. */
async function post(path, body) {
  let answer;
  try {
    const response = await fetch(`/page/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user: state.user, ...body }),
    });
    answer = await response.json();
  } catch {
    answer = { ok: false, error: "unreachable" };
  }
  if (answer.ok !== false) return answer;
  const app = state.world.app.name;
  return { ...answer, code: answer.error, error: ERRORS[answer.error]?.(app) ?? `${app} answered with an error: ${answer.error ?? "unknown"}.` };
}

const valuesOf = new Map();

/**
 * What blocks need of the message or view they stand in. The values are kept,
 * so that they survive a redraw; `saved` is the state the server knows of.
 */
function surfaceFor(container, headingLevel, saved) {
  const key = JSON.stringify(container);
  if (!valuesOf.has(key)) valuesOf.set(key, new Values());
  const values = valuesOf.get(key);
  return {
    container,
    headingLevel,
    values,
    saved,
    world: () => state.world,
    act: (action) => post("action", { container, ...action, state: values.toJSON() }),
    suggest: (query) => post("suggest", { container, ...query }),
  };
}

// ---- The stream

let stream = null;
let retry = null;

function connect() {
  stream?.close();
  clearTimeout(retry);
  // Who sits here is signed in at the simulated Slack, Google and Microsoft, too.
  document.cookie = `billops_sits_here=${encodeURIComponent(state.user)}; path=/; SameSite=Lax`;
  stream = new EventSource(`/page/events?user=${encodeURIComponent(state.user)}`);
  for (const [name, handle] of Object.entries(EVENTS)) {
    stream.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  }
  stream.addEventListener("error", () => {
    showBanner("The demo server is not answering. Trying again…");
    if (stream.readyState === EventSource.CLOSED) retry = setTimeout(connect, 2000);
  });
}

const EVENTS = {
  async snapshot(snapshot) {
    // After a restart the server may have another workspace.
    if (!$("banner").hidden) {
      await loadWorld();
      state.place = placeFromAddress();
    }
    showBanner(null);
    Object.assign(state, { conversations: snapshot.conversations, home: snapshot.home });
    state.world.installed = snapshot.installed;
    leaveAbsentApp();
    showConnections(snapshot.bot);
    traffic.reset(snapshot.traffic);
    modals.show(snapshot.modals);
    showPlace();
    if (state.place.startsWith("#")) openTab(state.place.slice(1));
  },
  message({ channel, message }) {
    (state.conversations[channel] ??= []).push(message);
    if (channel === channelShown()) conversation.put(message);
    else if (!isMine(message)) markUnread(channel);
    if (!isMine(message)) announceMessage(channel, message);
  },
  message_changed({ channel, message }) {
    const messages = (state.conversations[channel] ??= []);
    const index = messages.findIndex(({ ts }) => ts === message.ts);
    if (index < 0) messages.push(message);
    else messages[index] = message;
    if (channel !== channelShown()) return;
    conversation.put(message);
    announceMessage(channel, message);
  },
  message_deleted({ channel, ts }) {
    state.conversations[channel] = (state.conversations[channel] ?? []).filter((message) => message.ts !== ts);
    if (channel === channelShown()) conversation.remove(ts);
  },
  home({ view }) {
    state.home = view;
    drawHome();
  },
  modals: ({ views }) => modals.show(views),
  bot: (bot) => showConnections(bot),
  installed({ installed }) {
    const before = isInstalled();
    state.world.installed = installed;
    if (isInstalled() === before) return;
    const { app, team } = state.world;
    announce(isInstalled() ? `${app.name} is now in ${team.name}.` : `${app.name} was removed from ${team.name}.`);
    leaveAbsentApp();
    showPlace();
    focusMain();
  },
  traffic: ({ entry }) => traffic.add(entry),
};

const isMine = (message) => !message.bot && message.user === state.user;

function announceMessage(channel, message) {
  const name = message.name || state.world.people.find(({ id }) => id === message.user)?.real_name || state.world.app.name;
  announce(channel === channelShown() ? `${name}: ${wordsOf({ type: "mrkdwn", text: message.text ?? "" })}` : `New message from ${name}`);
}

function showBanner(text) {
  $("banner").hidden = !text;
  $("banner").textContent = text ?? "";
}

function showConnections({ connections }) {
  state.connections = connections;
  const words = connections ? `${connections} ${connections === 1 ? "connection" : "connections"}` : "not connected";
  $("connections").replaceChildren(h("span", { class: `dot ${connections ? "on" : "off"}`, "aria-hidden": "true" }), words);
  $("traffic-toggle").replaceChildren(
    icon("traffic"),
    h("span", { class: "wide" }, "Traffic"),
    h("span", { class: `dot ${connections ? "on" : "off"}`, "aria-hidden": "true" }),
    h("span", { class: "sr-only" }, `, ${words}`),
  );
  $("traffic-toggle").title = `${state.world.app.name}: ${words}`;
}

// ---- The workspace and the person

/** The workspace in which this person is. */
async function loadWorld(user = state.user ?? remembered("user") ?? "") {
  const response = await fetch(`/page/world?user=${encodeURIComponent(user)}`);
  state.world = await response.json();
  clockSays(state.world.now_ms);
  const { people, channels } = state.world;
  setDirectory({
    person: (id) => people.find((p) => p.id === id)?.real_name ?? (id === state.world.app.bot_user_id ? state.world.app.name : undefined),
    channel: (id) => channels.find((c) => c.id === id)?.name,
    channelByName: (name) => channels.find((c) => c.name === name),
  });
  state.user = people.some((p) => p.id === user) ? user : people[0].id;
}

/** Remembering is a comfort; a browser that forbids it still works. */
function remembered(key) {
  try {
    return localStorage.getItem(`billops.${key}`);
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(`billops.${key}`, value);
  } catch {
    // Nothing depends on it.
  }
}

function actAs(id) {
  if (id !== state.user) sitDown(id);
}

/** From now on this person, who is in the workspace that is shown, sits here. */
function sitDown(id) {
  remember("user", id);
  remember(`user.${state.world.team.id}`, id);
  modals.show([]);
  valuesOf.clear();
  Object.assign(state, { user: id, conversations: {}, home: null, unread: new Set() });
  showPlace();
  connect();
}

async function enter(workspace) {
  if (workspace.id === state.world.team.id) return;
  try {
    await loadWorld(remembered(`user.${workspace.id}`) ?? workspace.first_person);
  } catch {
    $("team-error").textContent = ERRORS.unreachable();
    return;
  }
  $("team-error").textContent = "";
  state.place = placeFromAddress();
  history.replaceState(null, "", addressOf(state.place));
  sitDown(state.user);
  closeDrawer();
}

/** Asks first; the page follows when the server says that it is done. */
async function removeApp() {
  const { app, team } = state.world;
  const sure = await confirmDialog({
    title: `Remove ${app.name} from ${team.name}?`,
    text: `Nobody in ${team.name} can use ${app.name} until it is added again.`,
    confirm: "Remove",
    deny: "Cancel",
    style: "danger",
  });
  if (!sure) return;
  const answer = await post("remove", {});
  $("team-error").textContent = answer.ok ? "" : answer.error;
}

function chooseWorkspace() {
  const { app, installed, team, workspaces } = state.world;
  const items = workspaces.map((workspace) => ({
    label: workspace.name,
    detail: installed[workspace.id] ? null : `without ${app.name}`,
    leading: avatar(workspace, "workspace"),
    checked: workspace.id === team.id,
    value: workspace.id,
    testid: `workspace-${workspace.id}`,
    run: () => enter(workspace),
  }));
  if (me().is_admin && isInstalled()) {
    items.push({ label: `Remove ${app.name} from this workspace`, danger: true, testid: "remove-app", run: removeApp });
  }
  openMenu($("team"), "Workspaces", items);
}

const zoneOf = (person) => `${timeIn(person.tz)} · ${person.tz.split("/").pop().replaceAll("_", " ")}`;

function drawPerson() {
  const person = me();
  $("act-as").replaceChildren(
    avatar(person),
    h("span", { class: "menu-text" }, h("span", { class: "name" }, person.real_name), h("small", null, zoneOf(person))),
    icon("down"),
  );
  $("act-as").setAttribute("aria-label", `Act as: ${person.real_name}, ${zoneOf(person)}`);
  $("act-as").dataset.user = person.id;
  drawClock();
}

function choosePerson() {
  openMenu(
    $("act-as"),
    "Act as",
    state.world.people.map((person) => ({
      label: person.real_name,
      detail: [person.title, person.is_admin && "admin", zoneOf(person)].filter(Boolean).join(" · "),
      leading: avatar(person),
      checked: person.id === state.user,
      value: person.id,
      testid: `act-as-${person.id}`,
      run: () => actAs(person.id),
    })),
  );
}

// ---- The clock

/** Puts the demo's clock forward to the next moment at which it is this time for the acting person. */
async function makeIt(time) {
  const answer = await post("clock", { time });
  $("clock-error").textContent = answer.ok === false ? answer.error : "";
  if (answer.ok === false) return;
  clockSays(answer.now_ms);
  drawPerson();
  announce(`It is ${timeIn(me().tz)} now.`);
}

function drawClock() {
  if (document.activeElement !== $("clock-time")) $("clock-time").value = timeIn(me().tz);
}

$("clock").addEventListener("submit", (event) => {
  event.preventDefault();
  makeIt($("clock-time").value);
});
$("clock-evening").addEventListener("click", () => makeIt("17:30"));

// ---- Where we are

function markUnread(channel) {
  state.unread.add(channel);
  drawSidebar();
}

function sideLink({ place, label, leading, testid, unread, current }) {
  return h(
    "li",
    null,
    h(
      "a",
      { class: `side-link${unread ? " unread" : ""}`, href: addressOf(place), "data-testid": testid, "aria-current": current ? "page" : null },
      leading,
      h("span", { class: "side-label" }, label),
      unread && h("span", { class: "unread-dot" }, h("span", { class: "sr-only" }, ", unread")),
    ),
  );
}

function drawSidebar() {
  const { team, workspaces } = state.world;
  $("team").replaceChildren(
    avatar(workspaces.find(({ id }) => id === team.id), "workspace"),
    h("span", { class: "side-label" }, team.name),
    icon("down"),
  );
  $("team").setAttribute("aria-label", `Workspace: ${team.name}`);
  $("apps-section").hidden = !isInstalled();
  drawPerson();
  keepFocus($("sidebar"), drawLinks);
}

function drawLinks() {
  const { channels, app } = state.world;
  $("channels").replaceChildren(
    ...channels.map((channel) =>
      sideLink({
        place: channel.id, label: channel.name, leading: icon(channel.is_private ? "lock" : "hash"), testid: `channel-${channel.id}`,
        unread: state.unread.has(channel.id), current: state.place === channel.id,
      }),
    ),
  );
  const inApp = state.place.startsWith("#");
  $("apps").replaceChildren(
    sideLink({
      place: inApp ? state.place : app.home_enabled ? "#home" : "#messages", label: app.name, leading: avatar(appFace(), "small app"), testid: "app",
      unread: state.unread.has(me().dm), current: inApp,
    }),
  );
}

const appFace = () => ({ name: state.world.app.name, initials: state.world.app.name.slice(0, 1) });

/** The place named in the address, if it exists. */
function placeFromAddress() {
  const id = location.hash.slice(1);
  if (isInstalled() && (id === "messages" || (id === "home" && state.world.app.home_enabled))) return `#${id}`;
  return state.world.channels.find((channel) => channel.id === id)?.id ?? state.world.channels[0]?.id ?? "#messages";
}

const addressOf = (place) => (place.startsWith("#") ? place : `#${place}`);

/** An app that is not installed has no place to be at. */
function leaveAbsentApp() {
  if (isInstalled() || !state.place.startsWith("#")) return;
  state.place = placeFromAddress();
  history.replaceState(null, "", addressOf(state.place));
}

function goTo(place) {
  const moved = place !== state.place;
  state.place = place;
  showPlace();
  closeDrawer();
  if (moved && place.startsWith("#")) openTab(place.slice(1));
}

/** Ready to type or to read on; a phone's keyboard waits until it is asked for. */
function focusMain() {
  if (!isInstalled()) $("absent").focus();
  else if (state.place === "#home") $("home").focus();
  else if (!isPhone()) composer.focus();
}

const openTab = (tab) => post("home", { tab });

function showPlace() {
  const channel = channelShown();
  if (channel) state.unread.delete(channel);
  drawSidebar();
  drawTop();
  drawAbsent();
  const isEmpty = !state.conversations[channel]?.length;
  $("home-panel").hidden = state.place !== "#home";
  $("chat-panel").hidden = state.place === "#home" || (!isInstalled() && isEmpty);
  $("composer-area").hidden = !isInstalled();
  if (channel) {
    conversation.show(channel, state.conversations[channel] ?? [], me().tz);
    describeComposer();
  } else {
    drawHome();
  }
}

function drawTop() {
  const { app } = state.world;
  const inApp = state.place.startsWith("#");
  const channel = state.world.channels.find(({ id }) => id === state.place);
  $("place").replaceChildren(...(inApp ? [avatar(appFace(), "small app"), app.name] : [icon(channel.is_private ? "lock" : "hash"), channel.name]));
  $("topic").textContent = inApp ? "App" : channel.topic;
  $("tabs").hidden = !inApp;
  for (const tab of ["home", "messages"]) {
    const selected = state.place === `#${tab}`;
    const node = $(`tab-${tab}`);
    node.hidden = tab === "home" && !app.home_enabled;
    node.setAttribute("aria-selected", String(selected));
    node.tabIndex = selected ? 0 : -1;
  }
  const unread = !$("tabs").hidden && state.unread.has(me().dm);
  $("tab-messages").replaceChildren("Messages", ...(unread ? [h("span", { class: "unread-dot" }, h("span", { class: "sr-only" }, ", unread"))] : []));
  document.title = `${inApp ? app.name : `#${channel.name}`} · BillOps demo`;
}

/** What stands in a workspace without the app, and the way to get it there. */
function drawAbsent() {
  const { app, install_url: url, team } = state.world;
  $("absent").hidden = isInstalled();
  $("absent").replaceChildren();
  if (isInstalled()) return;
  const add = h("a", { class: "btn primary", href: url, target: "_blank", rel: "noopener", "data-testid": "add-app" }, `Add ${app.name}`);
  $("absent").append(
    avatar(appFace(), "app"),
    h("h2", { id: "absent-title" }, `${app.name} is not installed in ${team.name}`),
    ...(url
      ? [h("p", null, `Add it, and everybody here can log time with ${command()}. A new tab asks for your consent; come back here afterwards.`), add]
      : [h("p", null, `No ${app.name} works with this Slack yet. Start one, and reload this page.`)]),
  );
}

function drawHome() {
  if (state.place !== "#home") return;
  const view = state.home;
  keepFocus($("home"), () =>
    $("home").replaceChildren(
      ...(view ? renderBlocks(view.blocks, surfaceFor({ type: "view", view_id: view.id }, 2, view.state)) : [h("p", { class: "empty" }, `Waiting for ${state.world.app.name} to draw this page…`)]),
    ),
  );
}

const command = () => state.world.commands[0]?.command ?? "/time";

function describeComposer() {
  const inApp = state.place === "#messages";
  const name = inApp ? state.world.app.name : `#${state.world.channels.find(({ id }) => id === state.place).name}`;
  composer.describe(`Message ${name}`, remembered("sent") ? `Message ${name}` : `Try ${command()} ${EXAMPLES[0]}`);
}

/** What stands above the first message: where one is, and what to try. */
function intro() {
  const { app, channels } = state.world;
  const channel = channels.find(({ id }) => id === state.place);
  return [
    h("h2", null, channel ? [icon(channel.is_private ? "lock" : "hash"), channel.name] : [avatar(appFace(), "app"), app.name]),
    h("p", null, channel ? `This is the start of #${channel.name}. ` : `${app.name} writes to you here. `, ...(isInstalled() ? ["Type ", h("code", null, `${command()} ${EXAMPLES[0]}`), ", or pick a line to try. Only you see the answer."] : [])),
  ];
}

async function say(text) {
  const answer = await post("say", { channel: channelShown(), text });
  if (answer.ok) {
    remember("sent", "yes");
    describeComposer();
  }
  const [word] = text.split(/\s/);
  return answer.ok || !text.startsWith("/") ? answer : { ...answer, error: `${word} failed. ${answer.error}` };
}

/** Shortcuts the workspace offers, of one type. */
const shortcuts = (type) => (state.world.app.shortcuts ?? []).filter((shortcut) => shortcut.type === type);

async function runShortcut(callbackId, ts) {
  const answer = await post("shortcut", { callback_id: callbackId, channel: channelShown() ?? undefined, ts });
  if (!answer.ok) $("composer-error").replaceChildren(icon("alert"), answer.error);
}

function drawComposerTools() {
  $("examples").replaceChildren(
    ...EXAMPLES.map((example) => {
      const line = `${command()} ${example}`;
      return h("button", { class: "example", type: "button", "data-testid": "example", on: { click: () => composer.fill(line) } }, line);
    }),
  );
  const offered = shortcuts("global");
  $("global-shortcuts").hidden = offered.length === 0;
  $("global-shortcuts").onclick = () =>
    openMenu($("global-shortcuts"), "Shortcuts", offered.map(({ name, callback_id: id }) => ({ label: name, value: id, leading: icon("bolt"), run: () => runShortcut(id) })));
}

// ---- Panels and theme

const isPhone = () => matchMedia("(max-width: 760px)").matches;

/** On a phone, what lies under the open drawer cannot be reached. */
function setDrawer(open) {
  document.body.classList.toggle("drawer-open", open);
  $("drawer-open").setAttribute("aria-expanded", String(open));
  $("scrim").hidden = !open;
  $("main").inert = open;
  $("sidebar").inert = isPhone() && !open;
}

function openDrawer() {
  setDrawer(true);
  $("drawer-close").focus();
}

function closeDrawer() {
  const wasOpen = document.body.classList.contains("drawer-open");
  setDrawer(false);
  if (wasOpen) $("drawer-open").focus();
}

function setTraffic(open) {
  $("traffic").hidden = !open;
  $("app").classList.toggle("with-traffic", open);
  $("traffic-toggle").setAttribute("aria-expanded", String(open));
  remember("traffic", open ? "open" : "closed");
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const dark = theme === "dark";
  $("theme").replaceChildren(icon(dark ? "sun" : "moon"), h("span", { class: "side-label" }, dark ? "Light theme" : "Dark theme"));
}

const systemTheme = () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

function wireTheme() {
  setTheme(remembered("theme") ?? systemTheme());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => remembered("theme") ?? setTheme(systemTheme()));
  $("theme").addEventListener("click", () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    remember("theme", next);
    setTheme(next);
  });
}

function wirePanels() {
  for (const [id, name] of [["drawer-open", "menu"], ["drawer-close", "close"], ["traffic-close", "close"], ["send", "send"], ["global-shortcuts", "bolt"]]) {
    $(id).append(icon(name));
  }
  $("drawer-open").addEventListener("click", openDrawer);
  $("drawer-close").addEventListener("click", closeDrawer);
  $("scrim").addEventListener("click", closeDrawer);
  matchMedia("(max-width: 760px)").addEventListener("change", () => setDrawer(false));
  setDrawer(false);
  $("traffic-toggle").addEventListener("click", () => setTraffic($("traffic").hidden));
  $("traffic-close").addEventListener("click", () => {
    setTraffic(false);
    $("traffic-toggle").focus();
  });
  $("sidebar").addEventListener("keydown", (event) => event.key === "Escape" && closeDrawer());
  $("traffic").addEventListener("keydown", (event) => event.key === "Escape" && !$("traffic-filter").value && $("traffic-close").click());
  setTraffic(remembered("traffic") === "open" && !isPhone());
}

/** Not by `location.hash`: there are elements of these names, and the browser would scroll to their beginning. */
function turnTo(tab) {
  history.pushState(null, "", `#${tab}`);
  goTo(`#${tab}`);
}

function wireNavigation() {
  $("team").addEventListener("click", chooseWorkspace);
  $("act-as").addEventListener("click", choosePerson);
  for (const tab of ["home", "messages"]) {
    $(`tab-${tab}`).addEventListener("click", () => turnTo(tab));
  }
  $("tabs").addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const other = state.place === "#home" ? "messages" : "home";
    if ($(`tab-${other}`).hidden) return;
    $(`tab-${other}`).focus();
    turnTo(other);
  });
  // The address names the place, so the skip link must not change it.
  $("skip").addEventListener("click", (event) => {
    event.preventDefault();
    focusMain();
  });
  $("sidebar").addEventListener("click", (event) => {
    const followed = event.target.closest("a");
    if (!followed || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    history.pushState(null, "", followed.href);
    goTo(placeFromAddress());
    focusMain();
  });
  // A browser keeps pages that were left, and lets only six connections to a server be open.
  window.addEventListener("pagehide", () => stream?.close());
  window.addEventListener("pageshow", (event) => event.persisted && connect());
  window.addEventListener("popstate", () => goTo(placeFromAddress()));
  setInterval(drawPerson, 20_000);
}

// ---- Parts

const traffic = new Traffic({ list: $("traffic-list"), empty: $("traffic-empty"), filter: $("traffic-filter"), clear: $("traffic-clear"), zone: () => me().tz });

const modals = new Modals({
  surfaceFor,
  submit: (viewId, values) => post("submit", { view_id: viewId, state: values }),
  close: (viewId, all) => post("close", { view_id: viewId, all }),
});

const conversation = new Conversation($("messages"), $("scroller"), {
  surfaceFor,
  person: (id) => state.world.people.find((p) => p.id === id) ?? { name: id ?? "", initials: "?" },
  app: appFace,
  shortcuts,
  shortcut: runShortcut,
  intro,
});

const composer = new Composer(
  { form: $("composer-form"), area: $("composer"), hint: $("command-hint"), error: $("composer-error") },
  { commands: () => state.world.commands, send: say },
);

/** Keeps asking until the server is there. */
async function start() {
  try {
    await loadWorld();
  } catch {
    showBanner("The demo server is not answering. Trying again…");
    setTimeout(start, 2000);
    return;
  }
  state.place = placeFromAddress();
  showConnections({ connections: 0 });
  drawComposerTools();
  wirePanels();
  wireNavigation();
  showPlace();
  connect();
  document.body.classList.add("ready");
  focusMain();
}

wireTheme();
start();
