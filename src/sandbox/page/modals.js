// The stack of modal views: one dialog that shows the view on top.

import { renderBlocks } from "./blocks.js";
import { focusables, h, icon, keepFocus, markFocus, uid } from "./dom.js";
import { problem } from "./elements.js";
import { textOf } from "./mrkdwn.js";

export class Modals {
  #dialog = h("dialog", { class: "dialog modal", "data-testid": "modal" });
  #views = [];
  #restore = null;
  #host;

  /** `host`: `{surfaceFor(container, headingLevel, saved), submit(viewId, state), close(viewId, all)}` */
  constructor(host) {
    this.#host = host;
    this.#dialog.addEventListener("cancel", (event) => {
      // The bot decides whether the view goes; until then it stays.
      event.preventDefault();
      this.#close(false);
    });
    document.body.append(this.#dialog);
  }

  get #top() {
    return this.#views.at(-1);
  }

  /** Shows the whole stack as the server has it now. */
  show(views) {
    const before = this.#top;
    this.#views = views;
    if (!views.length) return this.#hide();
    if (!this.#dialog.open) {
      this.#restore = markFocus(document.activeElement);
      this.#dialog.showModal();
    }
    if (before?.id !== this.#top.id) this.#draw();
    else if (before.hash !== this.#top.hash) keepFocus(this.#dialog, () => this.#draw({ focus: false }));
    return undefined;
  }

  #hide() {
    if (!this.#dialog.open) return;
    this.#dialog.close();
    this.#dialog.replaceChildren();
    this.#restore?.();
  }

  #surface(view) {
    return this.#host.surfaceFor({ type: "view", view_id: view.id }, 3, view.state);
  }

  #draw({ focus = true } = {}) {
    const view = this.#top;
    const titleId = uid("title");
    const body = this.#dialog.querySelector(".modal-body");
    const scrolled = focus ? 0 : (body?.scrollTop ?? 0);
    const stacked = this.#views.length > 1;
    const form = h(
      "form",
      { novalidate: true, on: { submit: (event) => this.#submit(event) } },
      h(
        "header",
        { class: "dialog-head" },
        stacked && h("button", { class: "icon-btn", type: "button", "aria-label": "Back", on: { click: () => this.#close(false) } }, icon("back")),
        h("h2", { id: titleId }, textOf(view.title)),
        h("button", { class: "icon-btn", type: "button", "aria-label": "Close", "data-testid": "modal-x", on: { click: () => this.#close(true) } }, icon("close")),
      ),
      h("div", { class: "modal-body" }, renderBlocks(view.blocks, this.#surface(view))),
      h(
        "footer",
        { class: "dialog-foot" },
        h("p", { class: "form-error", role: "alert" }),
        h("button", { class: "btn", type: "button", "data-testid": "modal-close", on: { click: () => this.#close(false) } }, view.close ? textOf(view.close) : view.submit ? "Cancel" : "Close"),
        view.submit && h("button", { class: "btn primary", type: "submit", "data-testid": "modal-submit" }, textOf(view.submit)),
      ),
    );
    this.#dialog.setAttribute("aria-labelledby", titleId);
    this.#dialog.dataset.viewId = view.id;
    this.#dialog.classList.toggle("stacked", stacked);
    this.#dialog.replaceChildren(form);
    form.querySelector(".modal-body").scrollTop = scrolled;
    if (focus) this.#focusFirst();
  }

  #focusFirst() {
    const body = this.#dialog.querySelector(".modal-body");
    // Never a button among the blocks: Enter must not set something off by surprise.
    const first = body.querySelector("[data-autofocus]") ?? body.querySelector("input, textarea, .select");
    if (first) first.focus({ preventScroll: !first.dataset.autofocus });
    else focusables(this.#dialog.querySelector(".dialog-foot")).at(-1)?.focus();
  }

  async #close(all) {
    const answer = await this.#host.close(this.#top.id, all);
    if (!answer.ok) this.#say(answer.error);
  }

  async #submit(event) {
    event.preventDefault();
    const view = this.#top;
    const button = this.#dialog.querySelector("[type=submit]");
    if (!button || button.getAttribute("aria-busy") === "true") return;
    const surface = this.#surface(view);
    const inputs = view.blocks.filter((block) => block.type === "input");
    const found = inputs.map((block) => [block.block_id, problem(block, surface.values)]).filter(([, text]) => text);
    if (found.length) {
      this.#showErrors(Object.fromEntries(found));
      return;
    }
    this.#showErrors({});
    button.setAttribute("aria-busy", "true");
    const answer = await this.#host.submit(view.id, surface.values.toJSON());
    button.removeAttribute("aria-busy");
    if (!answer.ok) this.#say(answer.error);
    else if (answer.errors) this.#showErrors(answer.errors);
  }

  #say(text) {
    const place = this.#dialog.querySelector(".form-error");
    place?.replaceChildren(...(text ? [icon("alert"), text] : []));
  }

  /** Puts each error at its field and the focus on the first. */
  #showErrors(errors) {
    this.#say(null);
    const rest = new Map(Object.entries(errors));
    let first = null;
    for (const block of this.#dialog.querySelectorAll(".block-input")) {
      const text = rest.get(block.dataset.blockId);
      rest.delete(block.dataset.blockId);
      const control = block.querySelector("[data-action-id]");
      const place = block.querySelector(".field-error");
      place.hidden = !text;
      place.replaceChildren(...(text ? [icon("alert"), h("span", null, text)] : []));
      block.classList.toggle("invalid", Boolean(text));
      for (const node of control?.matches("fieldset") ? control.querySelectorAll("input") : [control]) {
        if (text) node?.setAttribute("aria-invalid", "true");
        else node?.removeAttribute("aria-invalid");
      }
      if (text) first ??= focusables(block)[0];
    }
    if (rest.size) this.#say([...rest.values()].join(" "));
    first?.focus();
  }
}
