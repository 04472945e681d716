"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  // The page spells the facts that there are hundreds of as lists; here they get their names.
  for (const model of data.models) {
    model.ops = model.ops.map(([index, kind, output, type, macs, sources, weights, unpacks]) => (
      { index, kind, output, type, macs, sources, weights, unpacks: unpacks === 1 }));
    for (const weight of model.weights) {
      [weight.order, weight.zeros, weight.fill2, weight.fill4] = weight.sort;
      [weight.now, weight.dense, weight.sparse, weight.saving] = weight.bytes;
    }
  }
  const SVG = "http://www.w3.org/2000/svg";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);

  // Text becomes text nodes, never markup: names come from a file that anybody may have made.
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.filter((child) => child !== null));
    return element;
  }
  function draw(tag, attributes, ...children) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const FATES = data.fates;

  /* The graph */

  function graph(section) {
    const number = section.dataset.graph;
    const model = data.models[number];
    const list = one(".ops", section);
    const detail = one(".detail", section);
    const strip = one(".strip", section);
    const bar = Number(strip.dataset.bar);
    const find = one(".find", section);
    const legend = one(".legend", section);
    const rows = model.ops.map((_, place) => document.getElementById(`m${number}o${place}`));
    rows.forEach((row, place) => { one(".nm", row).title = model.ops[place].output; });
    const bars = new Map(all("[data-o]", strip).map((bar) => [Number(bar.dataset.o), bar]));
    const readers = model.ops.map(() => []);
    model.ops.forEach((op, place) => op.sources.forEach((source) => readers[source].push(place)));
    let view = model.views[0];
    let chosen = null;
    let wanted = new Set();

    const fateOf = (place) => Number(view.fates[place]);
    const isBlocker = (place) => view.blockers.includes(place);
    const visible = (place) => !rows[place].classList.contains("hidden")
      && (list.classList.contains("all") || !model.ops[place].unpacks);

    function operatorLink(place) {
      const link = make("a", { href: `#m${number}o${place}` }, `${model.ops[place].index} ${model.ops[place].kind}`);
      link.addEventListener("click", (event) => { event.preventDefault(); choose(place, true); });
      return link;
    }
    function links(title, places) {
      if (!places.length) return [];
      const items = places.slice(0, 8).map((place) => make("li", {}, operatorLink(place)));
      if (places.length > 8) items.push(make("li", {}, `and ${places.length - 8} more`));
      return [make("h5", {}, title), make("ul", {}, ...items)];
    }
    function ruleLink(rule) {
      // A dash is a sign of its own in what a browser looks for on the page.
      const text = encodeURIComponent(rule).replaceAll("-", "%2D");
      return make("a", { class: "rule", href: `${data.rules}#:~:text=${text}` }, rule);
    }
    function show(place) {
      const { index, kind, output, type, macs, sources, weights } = model.ops[place];
      const [fate, word, meaning] = FATES[fateOf(place)];
      const mark = draw("svg", { width: 16, height: 16, class: `mark f-${fate}`, "aria-hidden": "true" },
        draw("use", { href: `#n-${fate}`, x: 8, y: 8 }));
      const parts = [
        make("h4", {}, mark, `${index} ${kind}`),
        make("p", { class: "faint" }, output, make("br"), `${type}${macs ? `, ${macs} multiply-adds` : ""}`),
        make("p", {}, make("strong", {}, word), `: ${meaning}, on ${view.name}.`),
      ];
      const told = (view.why[place] || []).map((sentence) => view.sentences[sentence]);
      if (isBlocker(place)) {
        parts.push(make("p", { class: "bad" }, make("strong", {}, "✕ It stands in the way"),
          " of operators beside it that could run sparse."));
      }
      if (told.length) {
        parts.push(make("h5", {}, "What the rules say"), make("ul", { class: "why" }, ...told.map(([rule, text]) =>
          make("li", {}, `${text} `, rule ? ruleLink(rule) : ""))));
      }
      if (view.clusters[place] >= 0) {
        parts.push(make("h5", {}, "Its cluster"), make("p", {}, view.about[view.clusters[place]]));
      }
      if (place in view.runs) parts.push(make("h5", {}, "What executes"), make("p", {}, view.executed[view.runs[place]]));
      if (weights.length) {
        parts.push(make("h5", {}, "Its weights"), make("ul", {}, ...weights.map((weight) => {
          const link = make("a", { href: `#m${number}w${weight}` }, model.weights[weight].name || "(no name)");
          link.addEventListener("click", () => openWeight(number, weight));
          const zeros = model.weights[weight].words.find((pair) => pair[0] === "zeros");
          return make("li", {}, link, zeros ? make("div", { class: "faint" }, `${zeros[1]} zeros`) : "");
        })));
      }
      parts.push(...links("Reads", sources.filter((source) => !model.ops[source].unpacks)));
      parts.push(...links("Read by", readers[place]));
      detail.replaceChildren(...parts);
      all(".near", list).forEach((row) => row.classList.remove("near"));
      [...sources, ...readers[place]].forEach((other) => rows[other].classList.add("near"));
      all(".chosen", strip).forEach((bar) => bar.classList.remove("chosen"));
      if (bars.has(place)) bars.get(place).classList.add("chosen");
    }
    function choose(place, scroll) {
      if (chosen !== null) rows[chosen].setAttribute("aria-selected", "false");
      chosen = place;
      rows[place].setAttribute("aria-selected", "true");
      list.setAttribute("aria-activedescendant", rows[place].id);
      if (scroll) {
        // Within the list only: the page itself stays where it is.
        const row = rows[place];
        if (row.offsetTop < list.scrollTop || row.offsetTop + 26 > list.scrollTop + list.clientHeight) {
          list.scrollTop = row.offsetTop - list.clientHeight / 2;
        }
      }
      show(place);
    }
    choosers[number] = (place) => { if (rows[place]) choose(place, true); };
    const placeOf = (target) => {
      const row = target.closest(".op");
      return row === null ? null : Number(row.id.split("o")[1]);
    };
    list.addEventListener("mouseover", (event) => {
      const place = placeOf(event.target);
      if (place !== null) show(place);
    });
    list.addEventListener("mouseleave", () => { if (chosen !== null) show(chosen); });
    list.addEventListener("click", (event) => {
      const place = placeOf(event.target);
      if (place === null) return;
      choose(place, false);
      remember(rows[place].id);
    });
    list.addEventListener("keydown", (event) => {
      const order = rows.map((_, place) => place).filter(visible);
      const at = chosen === null ? -1 : order.indexOf(chosen);
      const to = {
        ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 12, PageUp: at - 12, Home: 0, End: order.length - 1,
      }[event.key];
      if (to === undefined || !order.length) return;
      event.preventDefault();
      choose(order[Math.min(Math.max(to, 0), order.length - 1)], true);
      remember(rows[chosen].id);
    });
    const barAt = (event) => event.target.closest("[data-o]");
    strip.addEventListener("mouseover", (event) => { if (barAt(event)) show(Number(barAt(event).dataset.o)); });
    strip.addEventListener("mouseleave", () => { if (chosen !== null) show(chosen); });
    strip.addEventListener("click", (event) => { if (barAt(event)) choose(Number(barAt(event).dataset.o), true); });

    one(".next-blocker", section).addEventListener("click", () => {
      const shown = view.blockers.filter(visible);
      if (!shown.length) return;
      const after = shown.find((place) => chosen === null || place > chosen);
      choose(after === undefined ? shown[0] : after, true);
    });
    const unpacking = one(".unpacking", section);
    if (unpacking) unpacking.addEventListener("change", () => {
      list.classList.toggle("all", unpacking.checked);
      filter();
    });
    legend.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      wanted = new Set(all("[aria-pressed=true]", legend).map((pressed) => pressed.dataset.fate));
      filter();
    });
    find.addEventListener("input", filter);

    function filter() {
      const words = find.value.trim().toLowerCase();
      let found = 0;
      rows.forEach((row, place) => {
        const op = model.ops[place];
        const matches = !words || String(op.index) === words || `${op.kind} ${op.output}`.toLowerCase().includes(words);
        const lit = !wanted.size || wanted.has(FATES[fateOf(place)][0]) || (wanted.has("blocker") && isBlocker(place));
        row.classList.toggle("hidden", !matches);
        row.classList.toggle("dim", !lit);
        if (bars.has(place)) bars.get(place).classList.toggle("lit", lit && matches);
        if (matches && lit && visible(place)) found += 1;
      });
      const filtering = words !== "" || wanted.size > 0;
      strip.classList.toggle("dimmed", filtering);
      const total = list.classList.contains("all") ? rows.length : model.ops.filter((op) => !op.unpacks).length;
      one(".count", section).textContent = filtering ? `${found} of ${total} operators` : `${total} operators`;
    }
    function look(to) {
      view = model.views[to];
      const blockers = new Set(view.blockers);
      const shown = rows.map((_, place) => place).filter((place) => !model.ops[place].unpacks);
      const beside = (place, step) => {
        let other = place + step;
        while (other >= 0 && other < rows.length && model.ops[other].unpacks) other += step;
        return view.clusters[other];
      };
      rows.forEach((row, place) => {
        const [fate, word] = FATES[fateOf(place)];
        const cluster = view.clusters[place];
        row.className = `op f-${fate}`;
        row.classList.toggle("blocker", blockers.has(place));
        row.classList.toggle("unpacks", model.ops[place].unpacks);
        if (cluster >= 0) {
          row.classList.add("in", view.on[cluster] ? "on" : "off");
          row.classList.toggle("top", beside(place, -1) !== cluster);
          row.classList.toggle("end", beside(place, 1) !== cluster);
        }
        const use = one("use", row);
        if (use) use.setAttribute("href", `#n-${fate}`);
        one(".fate", row).textContent = word;
        if (bars.has(place)) bars.get(place).setAttribute("class", `f-${fate}`);
      });
      one(".marks", strip).replaceChildren(...shown.flatMap((place, at) => blockers.has(place)
        ? [draw("rect", { x: at * bar, y: 0, width: bar, height: 5, class: "blocker" })] : []));
      const lines = [];
      for (let at = 0, start = 0; at < shown.length; at += 1) {
        const cluster = view.clusters[shown[at]];
        if (cluster !== view.clusters[shown[at + 1]]) {
          if (cluster >= 0) lines.push(draw("rect", {
            x: start * bar, y: 41, width: (at + 1 - start) * bar - Math.min(1, bar / 5), height: 4, class: view.on[cluster] ? "on" : "off",
          }));
          start = at + 1;
        }
      }
      one(".lines", strip).replaceChildren(...lines);
      one(".next-blocker", section).disabled = !view.blockers.length;
      const counts = FATES.map((_, fate) => [...view.fates].filter((mark) => Number(mark) === fate).length);
      all("[data-fate]", legend).forEach((button) => {
        const fate = FATES.findIndex((known) => known[0] === button.dataset.fate);
        one(".n", button).textContent = fate < 0 ? view.blockers.length : counts[fate];
      });
      strip.setAttribute("aria-label", `${rows.length} operators in their order, on ${view.name}: `
        + FATES.map((fate, at) => `${counts[at]} ${fate[1]}`).filter((_, at) => counts[at]).join(", ")
        + `; ${view.blockers.length} stand in the way`);
      filter();
      if (chosen !== null) choose(chosen, false);
    }
    all("input[type=radio]", section).forEach((radio) => {
      radio.addEventListener("change", () => { if (radio.checked) look(Number(radio.value)); });
      if (radio.checked && radio.value !== "0") look(Number(radio.value));
    });
    filter();
  }

  /* Maps of zeros */

  function shades() {
    const parse = (text) => text.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
    const [low, high] = [parse(colour("--card")), parse(colour("--accent"))];
    // Anything at all stands out from nothing.
    return [...Array(16).keys()].map((level) => {
      const share = level ? 0.18 + 0.82 * level / 15 : 0;
      return low.map((value, at) => Math.round(value + (high[at] - value) * share));
    });
  }
  let palette = null;
  function paint(canvas, height, width, levelAt) {
    palette = palette || shades();
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    for (let at = 0; at < width * height; at += 1) {
      const [red, green, blue] = palette[levelAt(at)];
      image.data.set([red, green, blue, 255], at * 4);
    }
    context.putImageData(image, 0, 0);
  }
  function paintMap(canvas, map) {
    const bytes = bytesOf(map.density);
    paint(canvas, map.grid[0], map.grid[1], (at) => (at % 2 ? bytes[at >> 1] & 15 : bytes[at >> 1] >> 4));
  }
  function paintCorner(canvas, map) {
    const bytes = bytesOf(map.bits);
    paint(canvas, map.corner[0], map.corner[1], (at) => (bytes[at >> 3] >> (7 - at % 8) & 1 ? 15 : 0));
  }
  const painted = new Map();
  function keepPainted(canvas, painter) {
    painted.set(canvas, painter);
    painter(canvas);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  function repaint() {
    palette = null;
    painted.forEach((painter, canvas) => (canvas.isConnected ? painter(canvas) : painted.delete(canvas)));
  }

  const thousands = (count) => count.toLocaleString("en-US");

  function histogram(map) {
    const [width, height, left, floor] = [300, 130, 34, 108];
    const most = Math.max(...map.histogram);
    const step = (width - left - 4) / map.histogram.length;
    const picture = draw("svg", {
      class: "histogram", viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": `Histogram of the share of zeros over ${map.size[0]} output channels`,
    });
    map.histogram.forEach((count, bin) => {
      if (!count) return;
      const tall = Math.max(2, (floor - 12) * count / most);
      picture.append(draw("rect", { x: left + bin * step + 0.5, y: floor - tall, width: step - 1, height: tall },
        draw("title", {}, `${count} channels with ${bin * 5} to ${bin * 5 + 5} % zeros`)));
    });
    picture.append(draw("path", { d: `M${left} ${floor}H${width - 4}`, fill: "none" }));
    const text = (x, y, anchor, words) => picture.append(draw("text", { x, y, "text-anchor": anchor }, words));
    [0, 25, 50, 75, 100].forEach((share) => text(left + (width - left - 4) * share / 100, floor + 15, share === 100 ? "end" : share ? "middle" : "start", `${share} %`));
    text(left - 6, 16, "end", String(most));
    text(left - 6, floor, "end", "0");
    return picture;
  }
  function figure(title, picture, caption) {
    return make("figure", {}, make("h4", {}, title), picture, make("figcaption", {}, caption));
  }
  function sized(canvas, rows, columns, most) {
    // Cells are squares; a long matrix is squeezed until it fits, which the caption's numbers tell.
    const scale = Math.max(1, Math.min(6, Math.floor(most / Math.max(rows, columns))));
    canvas.style.width = `${columns * scale}px`;
    canvas.style.height = `${rows * scale}px`;
    return canvas;
  }
  function mapFigures(map) {
    const [rows, columns] = map.size;
    const whole = sized(make("canvas", { role: "img", "aria-label":
      `Map of the values that are not zero: ${rows} output channels by ${columns} values` }), ...map.grid, 256);
    keepPainted(whole, (canvas) => paintMap(canvas, map));
    const single = map.cell[0] === 1 && map.cell[1] === 1;
    const about = single
      ? "Each cell is one value; a dark one is not zero."
      : `Each cell is ${map.cell[0]} × ${map.cell[1]} values, and as dark as its share of values that are not zero.`;
    const figures = [figure("Where it is not zero", whole,
      `${thousands(rows)} output channels, from the top, by ${thousands(columns)} values. ${about}`)];
    if (!single) {
      const corner = sized(make("canvas", { role: "img", "aria-label": "The first values of the map, one by one" }), ...map.corner, 256);
      keepPainted(corner, (canvas) => paintCorner(canvas, map));
      figures.push(figure("Its first corner, value by value", corner,
        `The first ${map.corner[0]} channels and ${map.corner[1]} values.`));
    }
    const [empty, full, least, most] = map.channels;
    const percent = (share) => `${(100 * share).toFixed(1)} %`;
    figures.push(figure("Zeros by output channel", histogram(map),
      `${thousands(rows)} channels have from ${percent(least)} to ${percent(most)} zeros; ${thousands(empty)} are all zero, ${thousands(full)} have none.`));
    return figures;
  }

  /* The weights */

  function spreadsheet(weights) {
    const words = (weight, label) => (weight.words.find((pair) => pair[0] === label) || [])[1];
    const columns = {
      operator: (weight) => weight.order, name: (weight) => weight.name, "read by": (weight) => weight.kinds.join(" "),
      shape: (weight) => words(weight, "shape"), zeros: (weight) => weight.zeros, "fill 2": (weight) => weight.fill2,
      "fill 4": (weight) => weight.fill4, stored: (weight) => weight.storage, "bytes now": (weight) => weight.now,
      "bytes dense": (weight) => weight.dense, "bytes sparse": (weight) => weight.sparse, "bytes saved": (weight) => weight.saving,
    };
    const cell = (value) => {
      let text = value === null || value === undefined ? "" : String(value);
      // No spreadsheet takes a name for a formula.
      if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
      return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const lines = [Object.keys(columns), ...weights.map((weight) => Object.values(columns).map((value) => value(weight)))];
    return lines.map((line) => `${line.map(cell).join(",")}\r\n`).join("");
  }

  const opened = {};
  function openWeight(number, weight) {
    const row = document.getElementById(`m${number}w${weight}`);
    if (!row) return;
    if (row.hidden) opened[number].clear();
    opened[number].open(weight, true);
  }
  function weights(section) {
    const number = section.dataset.weights;
    const model = data.models[number];
    const body = one("tbody", section);
    const rows = model.weights.map((_, place) => document.getElementById(`m${number}w${place}`));
    const extra = new Map();
    const filters = {
      name: one(".by-name", section), kind: one(".by-kind", section), zeros: one(".by-zeros", section), storage: one(".by-storage", section),
    };

    const watcher = new IntersectionObserver((entries) => entries.forEach((entry) => {
      if (!entry.isIntersecting) return;
      watcher.unobserve(entry.target);
      thumbnail(Number(entry.target.id.split("w")[1]));
    }), { rootMargin: "300px" });
    function thumbnail(place) {
      const cell = one(".spy", rows[place]);
      const map = model.weights[place].map;
      if (!map || cell.firstChild) return;
      const canvas = make("canvas", { "aria-hidden": "true" });
      cell.append(canvas);
      keepPainted(canvas, (target) => paintMap(target, map));
    }
    rows.forEach((row, place) => {
      watcher.observe(row);
      one(".open", row).title = model.weights[place].name;
    });
    window.addEventListener("beforeprint", () => rows.forEach((_, place) => thumbnail(place)));

    function open(place, on) {
      const button = one(".open", rows[place]);
      button.setAttribute("aria-expanded", String(on));
      if (!on) {
        if (extra.has(place)) extra.get(place).remove();
        extra.delete(place);
        return;
      }
      if (extra.has(place)) return;
      const weight = model.weights[place];
      const facts = make("dl", {}, ...[["name", weight.name], ...weight.words].flatMap(([label, text]) => [make("dt", {}, label), make("dd", {}, text)]));
      const more = make("tr", { class: "more", id: `m${number}x${place}` },
        make("td", { colspan: "10" }, make("div", { class: "more-grid" }, ...(weight.map ? mapFigures(weight.map) : []), facts)));
      button.setAttribute("aria-controls", more.id);
      rows[place].after(more);
      extra.set(place, more);
    }
    body.addEventListener("click", (event) => {
      const button = event.target.closest(".open");
      if (!button) return;
      const row = button.closest("tr");
      open(Number(row.id.split("w")[1]), button.getAttribute("aria-expanded") !== "true");
      remember(row.id);
    });

    const KEYS = {
      order: (weight) => weight.order, name: (weight) => weight.name, zeros: (weight) => weight.zeros,
      spread: (weight) => (weight.map ? weight.map.channels[3] - weight.map.channels[2] : null),
      fill2: (weight) => weight.fill2, fill4: (weight) => weight.fill4,
      now: (weight) => weight.now, sparse: (weight) => weight.sparse, saving: (weight) => weight.saving,
    };
    const heads = all("thead th", section);
    function sort(head) {
      const button = one("button", head);
      const textual = button.dataset.key === "name" || button.dataset.key === "order";
      const first = textual ? "ascending" : "descending";
      const second = textual ? "descending" : "ascending";
      const direction = head.getAttribute("aria-sort") === first ? second : first;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", direction);
      const sign = direction === "ascending" ? 1 : -1;
      const key = KEYS[button.dataset.key];
      const missing = (value) => value === null || value === undefined;
      const order = rows.map((_, place) => place).sort((a, b) => {
        const [x, y] = [key(model.weights[a]), key(model.weights[b])];
        // What has no value comes last, whichever way.
        if (missing(x) || missing(y)) return missing(x) - missing(y) || a - b;
        return sign * (x < y ? -1 : x > y ? 1 : 0) || a - b;
      });
      body.append(...order.flatMap((place) => (extra.has(place) ? [rows[place], extra.get(place)] : [rows[place]])));
    }
    heads.forEach((head) => { const button = one("button", head); if (button) button.addEventListener("click", () => sort(head)); });

    function filter() {
      const name = filters.name.value.trim().toLowerCase();
      const storage = filters.storage.value;
      let shown = 0;
      model.weights.forEach((weight, place) => {
        const stored = storage === "better" ? weight.storage === "dense" && weight.saving > 0 : !storage || weight.storage === storage;
        const fits = weight.name.toLowerCase().includes(name) && stored
          && (!filters.kind.value || weight.kinds.includes(filters.kind.value))
          && (weight.zeros || 0) >= Number(filters.zeros.value);
        rows[place].hidden = !fits;
        if (extra.has(place)) extra.get(place).hidden = !fits;
        shown += fits;
      });
      one(".count", section).textContent = `${shown} of ${rows.length} weights`;
    }
    Object.values(filters).forEach((input) => input.addEventListener("input", filter));
    one(".csv", section).addEventListener("click", () => {
      const shown = model.weights.filter((_, place) => !rows[place].hidden);
      const link = make("a", { download: one(".csv", section).dataset.file,
        href: URL.createObjectURL(new Blob([spreadsheet(shown)], { type: "text/csv" })) });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
    function clear() {
      Object.values(filters).forEach((input) => { input.value = input.tagName === "SELECT" ? input.options[0].value : ""; });
      filter();
    }
    opened[number] = { open, clear };
    filter();
  }

  /* More zeros */

  function pruned(section) {
    const points = data.models[section.dataset.pruned].pruned;
    const slider = one(".share-of-zeros", section);
    function show() {
      const point = points[Number(slider.value)];
      one(".share-name", section).textContent = point.name;
      slider.setAttribute("aria-valuetext", point.name);
      one(".facts", section).replaceChildren(...point.facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
      one(".fate-dense", section).hidden = point.sparse;
      one(".fate-sparse", section).hidden = !point.sparse;
      one(".command", section).hidden = !point.command;
      one(".command code", section).textContent = point.command;
    }
    slider.addEventListener("input", show);
    show();
  }

  /* The address says what is chosen, so that it can be sent to somebody. */

  const choosers = {};
  const remember = (id) => history.replaceState(null, "", `#${id}`);
  function follow() {
    const [, number, kind, place] = /^#m(\d+)([ow])(\d+)$/.exec(location.hash) || [];
    if (kind === "o" && choosers[number]) choosers[number](Number(place));
    if (kind === "w" && opened[number]) openWeight(number, Number(place));
    if (kind && document.getElementById(location.hash.slice(1))) {
      document.getElementById(location.hash.slice(1)).scrollIntoView({ block: "center" });
    }
  }

  all("[data-graph]").forEach(graph);
  all("[data-pruned]").forEach(pruned);
  all("[data-weights]").forEach(weights);
  all(".copy").forEach((button) => button.addEventListener("click", async () => {
    const code = one("code", button.parentElement);
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      // Where pages may not write to the clipboard the command is selected.
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }));
  window.addEventListener("beforeprint", () => all("details").forEach((element) => { element.open = true; }));
  window.addEventListener("hashchange", follow);
  follow();
  document.documentElement.dataset.ready = "true";
})();
