(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const one = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const slider = one("share");
  const charts = [...document.querySelectorAll(".chart")];
  const layers = [...document.querySelectorAll(".layers rect")];
  const rows = [...document.querySelector("table.sweep tbody").rows];

  function text(tag, words) {
    const element = document.createElement(tag);
    element.textContent = words;
    return element;
  }

  function show(place) {
    const point = data.points[place];
    one("chosen").textContent = point.name;
    slider.setAttribute("aria-valuetext", point.name);
    one("facts").replaceChildren(...point.facts.flatMap(([name, value]) => [text("dt", name), text("dd", value)]));
    one("why").textContent = point.why;
    /* Lines end between words, not behind the hyphen of an option. */
    one("command").replaceChildren(...point.command.split(" ").flatMap((word) => [text("span", word), " "]).slice(0, -1));
    layers.forEach((rect, number) => rect.classList.toggle("on", point.layers[number] === "1"));
    rows.forEach((row, number) => row.classList.toggle("chosen", number === place));
    charts.forEach((chart, number) => {
      const { line, rings } = data.charts[number];
      const here = chart.querySelector(".here");
      const x = line.length ? line[place] : -9;
      here.setAttribute("x1", x);
      here.setAttribute("x2", x);
      here.style.visibility = line.length ? "visible" : "hidden";
      chart.querySelector(".rings").replaceChildren(...rings[place].map(([cx, cy]) => {
        const ring = document.createElementNS(SVG, "circle");
        Object.entries({ cx, cy, r: 6, class: "ring" }).forEach(([name, value]) => ring.setAttribute(name, value));
        return ring;
      }));
    });
  }

  /* The address keeps what is chosen, so that it can be sent to somebody. */
  function read() {
    const match = /^#point=(\d+)$/.exec(location.hash);
    if (match && data.points[Number(match[1])]) slider.value = match[1];
    show(Number(slider.value));
  }
  slider.addEventListener("input", () => show(Number(slider.value)));
  slider.addEventListener("change", () => history.replaceState(null, "", `#point=${slider.value}`));
  window.addEventListener("hashchange", read);
  document.querySelector(".copy").addEventListener("click", async (event) => {
    const range = document.createRange();
    range.selectNodeContents(one("command"));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    try {
      await navigator.clipboard.writeText(one("command").textContent);
      event.target.textContent = "Copied";
    } catch {
      // Where pages may not write to the clipboard the command is selected.
      event.target.textContent = "Selected";
    }
    setTimeout(() => { event.target.textContent = "Copy"; }, 2000);
  });
  read();
  document.documentElement.dataset.ready = "true";
})();
