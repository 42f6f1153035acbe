// Self-checks: a number, a shape or an order is asked for before the options are shown, and what was
// answered is kept in this browser only. Without scripts the options stand there, each with its reason.
(() => {
  const STORE = "convolutions.self-checks";
  const TRIES = { right: "right at the first try", later: "right, not at the first try", wrong: "not right yet" };

  const load = () => {
    try {
      const found = JSON.parse(localStorage.getItem(STORE));
      return found && typeof found === "object" && !Array.isArray(found) ? found : {};
    } catch {
      return {}; // a browser may keep nothing for files, or somebody wrote something else there
    }
  };
  const save = answers => {
    try {
      localStorage.setItem(STORE, JSON.stringify(answers));
    } catch {} // then it holds for this visit of the page
  };
  let answers = load();

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const words = option => option.querySelector("summary").textContent.replace("−", "-").trim();
  const page = location.pathname.split("/").pop();

  // --- what was typed, in the form of what an option says ---------------------------------------

  const number = text => {
    const bare = text.replace("−", "-").replace(/[\s%]/g, "").replace(/,(?=\d{3}(\D|$))/g, "").replace(",", ".");
    const [, top, bottom = "1"] = /^([-+]?[\d.]+(?:e[-+]?\d+)?)(?:\/(\d+))?$/i.exec(bare) ?? [];
    const value = Number(top) / Number(bottom);
    return Number.isFinite(value) ? value : null;
  };
  const shape = text => (/^[\s\d,()[\]x×]+$/.test(text) ? text.match(/\d+/g)?.join() ?? null : null);
  const parts = text => text.split(/,(?: then)? /);
  const READ = { number, shape, order: text => parts(text).join() };

  /** Whether what was read is what an option says; a number may be rounded as the option is. */
  const agrees = (given, option, kind) => {
    const said = words(option);
    const meant = READ[kind](said);
    if (kind !== "number" || given === null) return given === meant;
    const decimals = said.includes(".") ? said.split(".")[1].match(/^\d*/)[0].length : 0;
    return Math.abs(given - meant) <= (said.includes("/") ? 0.002 : decimals ? 0.5 * 10 ** -decimals : 0) + 1e-12;
  };
  const ASK = {
    number: "Your number (a fraction such as 3/8 will do)",
    shape: "Your shape, such as (1, 3, 28, 28)",
    order: "Put these in order with the buttons",
  };

  const orderOf = options => {
    const items = parts(words(options[0])).sort();
    if (options.some(option => option.classList.contains("right") && words(option) === items.join(", "))) items.reverse();
    const list = make("ol", { className: "order" });
    const move = (from, by) => {
      const to = from + by;
      [items[from], items[to]] = [items[to], items[from]];
      draw();
      (list.children[to].querySelector(by < 0 ? ".up:enabled" : ".down:enabled") ?? list.children[to].querySelector("button:enabled")).focus();
    };
    const draw = () => list.replaceChildren(...items.map((item, at) => make("li", {}, make("span", {}, item),
      make("button", { type: "button", className: "up", ariaLabel: `${item}: earlier`, disabled: at === 0, onclick: () => move(at, -1) }, "↑"),
      make("button", { type: "button", className: "down", ariaLabel: `${item}: later`, disabled: at === items.length - 1, onclick: () => move(at, 1) }, "↓"))));
    draw();
    return { node: list, text: () => items.join(", ") };
  };
  const fieldOf = label => {
    const input = make("input", { type: "text", autocomplete: "off", spellcheck: false, ariaLabel: label });
    return { node: input, text: () => input.value };
  };

  /** Ask before the options are shown; whoever gives what an option says sees its reason. */
  const ask = (options, kind) => {
    const field = kind === "order" ? orderOf(options) : fieldOf(ASK[kind]);
    const said = make("p", { className: "said", role: "status" });
    const reveal = make("button", { type: "button" }, "Show the options");
    const form = make("form", { className: "answer" }, make("p", { className: "ask" }, ASK[kind]), field.node,
      make("span", {}, make("button", { type: "submit" }, "Check"), " ", reveal), said);
    reveal.onclick = () => {
      for (const option of options) option.hidden = false;
      form.remove();
      options[0].querySelector("summary").focus();
    };
    form.onsubmit = event => {
      event.preventDefault();
      const given = READ[kind](field.text());
      const hit = options.find(option => agrees(given, option, kind));
      for (const option of options) {
        option.hidden = option !== hit;
        if (option !== hit) option.open = false;
      }
      if (hit) hit.open = true;
      note(options, !!hit?.classList.contains("right"));
      said.textContent = hit ? "" : given === null ? "That cannot be read: write digits only." : "Not right, and none of the usual slips. Try again, or look at the options.";
    };
    for (const option of options) option.hidden = true;
    options[0].before(form);
  };

  // --- what is kept ------------------------------------------------------------------------------

  const keyOf = options => `${page}#${options[0].closest("section").id}`;
  const note = (options, right) => {
    const key = keyOf(options);
    const before = answers[key];
    answers[key] = right ? (before ? (before === "wrong" ? "later" : before) : "right") : before ?? "wrong";
    save(answers);
    draw();
  };
  const clear = make("button", { type: "button", className: "clear" }, "Clear what I answered");
  clear.onclick = () => {
    for (const key of Object.keys(answers)) if (!groups.length || key.startsWith(`${page}#`)) delete answers[key];
    save(answers);
    for (const option of groups.flat()) option.open = false;
    draw();
  };
  const line = make("p", { className: "answered", role: "status" });
  const draw = () => {
    const here = Object.entries(answers).filter(([key]) => !groups.length || key.startsWith(`${page}#`));
    const count = value => here.filter(entry => entry[1] === value).length;
    const good = count("right") + count("later");
    const of = groups.length ? ` of ${groups.length} on this page` : "";
    line.textContent = here.length || groups.length
      ? `Self-checks: ${good} right${of}, ${count("right")} at the first try. Kept in this browser only.`
      : "";
    clear.hidden = !here.length;
    for (const options of groups) {
      const state = answers[keyOf(options)];
      const heading = options[0].closest("section").querySelector("h3, h2");
      heading.dataset.answered = state ?? "";
      heading.title = state ? TRIES[state] : "";
    }
  };

  const groups = [];
  for (const section of document.querySelectorAll("section")) {
    const options = [...section.querySelectorAll(":scope > details.option")];
    if (options.length) groups.push(options);
  }
  for (const options of groups) {
    for (const option of options)
      option.addEventListener("toggle", () => option.open && note(options, option.classList.contains("right")));
    const kind = Object.keys(READ).find(name => options[0].classList.contains(name));
    if (kind) ask(options, kind);
  }
  const place = groups.length ? document.querySelector("#self-checks > h2") : document.querySelector("#your-progress > h2");
  if (place) {
    place.after(line, clear);
    draw();
  }
})();
