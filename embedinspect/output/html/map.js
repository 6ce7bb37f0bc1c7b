"use strict";
(() => {
  const REST = 150; // milliseconds after which points no longer move
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  // A map: points on a canvas, and labels for as many as find room in what is seen.
  function drawMap(figure) {
    const data = JSON.parse(figure.querySelector(".ei-map-data").textContent);
    const canvas = figure.querySelector("canvas");
    const frame = figure.querySelector(".ei-canvas");
    const tip = figure.querySelector(".ei-tip");
    const say = figure.querySelector(".ei-say");
    const when = figure.querySelector(".ei-when");
    const find = figure.querySelector(".ei-find");
    const count = data.points.length;
    const paint = canvas.getContext("2d");
    const marked = new Set(data.marked);
    const texts = new Set(data.texts);
    const wanted = [...new Set([...data.marked, ...data.labels])];
    const others = [];
    const isWanted = new Set(wanted);
    for (let place = 0; place < count; place += 1) {
      if (!isWanted.has(place)) others.push(place);
    }
    const order = wanted.concat(others);
    const groups = data.palette.map(() => []);
    data.colours.forEach((colour, place) => groups[colour].push(place));
    const coordinates = (points, axis) => Float64Array.from(points, (point) => point[axis]);
    const after = [0, 1].map((axis) => coordinates(data.points, axis));
    const before = data.before && [0, 1].map((axis) => coordinates(data.before, axis));
    // How far the points reach, so that the whole map fits the canvas.
    const reach = [0, 1].map((axis) => [after, before || after].reduce((far, places) =>
      places[axis].reduce((most, value) => Math.max(most, 2 * Math.abs(value)), far), 0.05));
    const x = new Float64Array(count);
    const y = new Float64Array(count);
    const widths = new Map();
    const view = { zoom: 1, x: 0, y: 0 };
    let share = 1;
    let chosen = -1;
    let hovered = -1;
    let asked = false;
    let width = 0;
    let height = 0;
    let unit = 1;
    let ratio = 1;
    let moved = -Infinity;
    let rest = 0;
    let colours = {};

    figure.querySelector(".ei-static").hidden = true;
    figure.querySelector(".ei-controls").hidden = false;
    figure.querySelector(".ei-axes").hidden = false;
    frame.hidden = false;

    function theme() {
      const style = getComputedStyle(figure);
      for (const name of ["ink", "muted", "card", "paper"]) {
        colours[name] = style.getPropertyValue(`--${name}`).trim();
      }
      ask();
    }

    function resize() {
      ratio = window.devicePixelRatio || 1;
      width = frame.clientWidth;
      // A flat map has no empty half; the style sheet says how high a map may be.
      frame.style.height = `${Math.max(240, Math.round((width * reach[1]) / reach[0] + 80))}px`;
      height = frame.clientHeight;
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
      paint.setTransform(ratio, 0, 0, ratio, 0, 0);
      unit = 0.92 * Math.min(width / reach[0], height / reach[1]);
      ask();
    }

    function project() {
      const scale = unit * view.zoom;
      const [ax, ay] = after;
      const [bx, by] = before || after;
      for (let place = 0; place < count; place += 1) {
        x[place] = width / 2 + (bx[place] + (ax[place] - bx[place]) * share - view.x) * scale;
        y[place] = height / 2 - (by[place] + (ay[place] - by[place]) * share - view.y) * scale;
      }
    }

    const seen = (place) =>
      x[place] > -8 && x[place] < width + 8 && y[place] > -8 && y[place] < height + 8;

    function widthOf(name) {
      if (!widths.has(name)) widths.set(name, paint.measureText(name).width);
      return widths.get(name);
    }

    function draw(now) {
      asked = false;
      if (window.devicePixelRatio !== ratio) resize(); // the window is on another screen
      project();
      paint.clearRect(0, 0, width, height);
      const radius = clamp(1.6 * Math.sqrt(view.zoom), 1.6, 5);
      dots(radius, now - moved < REST);
      label(radius);
      for (const place of [chosen, hovered]) if (place >= 0) ring(place, radius + 4);
    }

    // Squares are drawn three times as fast as circles: where there are many points, those that
    // move are squares, and circles again at rest.
    function dots(radius, moving) {
      const squares = moving && count > 3000 && radius < 3;
      paint.globalAlpha = count > 800 ? 0.7 : 0.9;
      groups.forEach((places, colour) => {
        paint.fillStyle = data.palette[colour];
        paint.beginPath();
        for (const place of places) {
          if (!seen(place)) continue;
          if (squares) {
            paint.fillRect(x[place] - radius, y[place] - radius, 1.8 * radius, 1.8 * radius);
          } else {
            paint.moveTo(x[place] + radius, y[place]);
            paint.arc(x[place], y[place], radius, 0, 6.2832);
          }
        }
        paint.fill();
      });
      paint.globalAlpha = 1;
    }

    function dot(place, radius) {
      paint.fillStyle = data.palette[data.colours[place]];
      paint.beginPath();
      paint.arc(x[place], y[place], radius, 0, 6.2832);
      paint.fill();
      paint.fillStyle = colours.ink;
    }

    function ring(place, radius) {
      paint.strokeStyle = colours.ink;
      paint.lineWidth = 2;
      paint.beginPath();
      paint.arc(x[place], y[place], radius, 0, 6.2832);
      paint.stroke();
    }

    // Texts are cut, and many begin alike: their rows tell them apart.
    function labelOf(place) {
      const name = data.names[place];
      return texts.has(place) ? `#${data.rows[place]} ${name}` : name;
    }

    // Greedy, the most wanted first; taken cells of a coarse grid keep it quick.
    function label(radius) {
      paint.font = "12px system-ui, sans-serif";
      paint.textBaseline = "middle";
      const cell = 14;
      const columns = Math.ceil(width / cell) + 1;
      const lines = Math.ceil(height / cell) + 1;
      const taken = new Uint8Array(columns * lines);
      const most = Math.min(160, Math.round((width * height) / 2600));
      let labels = 0;
      let tried = 0;
      const first = chosen >= 0 ? [chosen] : [];
      for (const list of [first, order]) {
        for (const place of list) {
          if (labels >= most || tried > 2500) return;
          if (!seen(place) || (place === chosen && list === order)) continue;
          tried += 1;
          const name = labelOf(place).slice(0, 28);
          const long = widthOf(name);
          for (const left of [x[place] + radius + 3, x[place] - radius - 3 - long]) {
            const c0 = Math.floor(left / cell);
            const c1 = Math.floor((left + long) / cell);
            const r0 = Math.floor((y[place] - 7) / cell);
            const r1 = Math.floor((y[place] + 7) / cell);
            if (c0 < 0 || r0 < 0 || c1 >= columns - 1 || r1 >= lines - 1) continue;
            let free = true;
            for (let r = r0; free && r <= r1; r += 1) {
              for (let c = c0; free && c <= c1; c += 1) free = !taken[r * columns + c];
            }
            if (!free) continue;
            for (let r = r0; r <= r1; r += 1) {
              for (let c = c0; c <= c1; c += 1) taken[r * columns + c] = 1;
            }
            paint.lineWidth = 3;
            paint.strokeStyle = colours.card;
            paint.strokeText(name, left, y[place]);
            paint.fillStyle = colours.ink;
            if (marked.has(place) || place === chosen) ring(place, radius + 3);
            else dot(place, radius + 1);
            paint.fillText(name, left, y[place]);
            labels += 1;
            break;
          }
        }
      }
    }

    function ask() {
      if (!asked) {
        asked = true;
        requestAnimationFrame(draw);
      }
    }

    // The points move: they are drawn, and once more when they have come to rest.
    function move() {
      hovered = -1;
      tip.hidden = true;
      moved = performance.now();
      clearTimeout(rest);
      rest = setTimeout(ask, REST + 20);
      ask();
    }

    function zoomAt(factor, px, py) {
      const zoom = clamp(view.zoom * factor, 0.5, 400);
      const step = 1 / (unit * view.zoom) - 1 / (unit * zoom);
      view.x += (px - width / 2) * step;
      view.y -= (py - height / 2) * step;
      view.zoom = zoom;
      move();
    }

    function whole() {
      Object.assign(view, { zoom: 1, x: 0, y: 0 });
      move();
    }

    function nearest(px, py) {
      let best = -1;
      let least = 14 * 14;
      for (let place = 0; place < count; place += 1) {
        const distance = (x[place] - px) ** 2 + (y[place] - py) ** 2;
        if (distance < least) [least, best] = [distance, place];
      }
      return best;
    }

    function told(place) {
      const value = data.values && data.values[place];
      const shade = value ? `, ${data.shade} ${value}` : "";
      return `${data.names[place]} (row ${data.rows[place]}${shade})`;
    }

    function hover(px, py) {
      hovered = nearest(px, py);
      tip.hidden = hovered < 0;
      if (hovered >= 0) {
        tip.textContent = told(hovered);
        tip.style.left = `${clamp(x[hovered] + 12, 0, Math.max(0, width - tip.offsetWidth - 4))}px`;
        tip.style.top = `${clamp(y[hovered] + 12, 0, Math.max(0, height - tip.offsetHeight - 4))}px`;
      }
      ask();
    }

    // The word itself, else in another case, else the first that begins so; and how many do.
    function matching(text) {
      const lower = text.toLowerCase();
      const begin = [];
      data.names.forEach((name, place) => {
        if (name.toLowerCase().startsWith(lower)) begin.push(place);
      });
      const same = begin.filter((place) => data.names[place].length === text.length);
      const exact = same.filter((place) => data.names[place] === text);
      return { best: [...exact, ...same, ...begin, -1][0], others: begin.length - 1 };
    }

    function search(text, go) {
      const wantedText = text.trim();
      if (!wantedText) {
        chosen = -1;
        say.textContent = "";
        ask();
        return;
      }
      const { best, others } = matching(wantedText);
      chosen = best;
      const more = others > 0 ? `; ${others} more begin with ${wantedText}` : "";
      say.textContent = best < 0 ? `no word here begins with ${wantedText}` : told(best) + more;
      if (best >= 0 && go) {
        view.zoom = Math.max(view.zoom, 6);
        project();
        view.x += (x[best] - width / 2) / (unit * view.zoom);
        view.y -= (y[best] - height / 2) / (unit * view.zoom);
      }
      ask();
    }

    const pointers = new Map();
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, at(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = at(event);
      const last = pointers.get(event.pointerId);
      if (!last) return hover(...now);
      if (pointers.size === 1) {
        view.x -= (now[0] - last[0]) / (unit * view.zoom);
        view.y += (now[1] - last[1]) / (unit * view.zoom);
        move();
      } else {
        const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, p]) => p);
        const far = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
        zoomAt(far(now) / far(last), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      }
      pointers.set(event.pointerId, now);
      return undefined;
    });
    const released = (event) => pointers.delete(event.pointerId);
    canvas.addEventListener("pointerup", (event) => {
      released(event);
      hover(...at(event));
    });
    canvas.addEventListener("pointercancel", released);
    canvas.addEventListener("pointerleave", () => {
      hovered = -1;
      tip.hidden = true;
      ask();
    });
    // Plain turns of the wheel go on scrolling the page until the map has been chosen.
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (document.activeElement !== canvas && !event.ctrlKey) return;
        event.preventDefault();
        zoomAt(Math.exp(-event.deltaY * 0.0015), ...at(event));
      },
      { passive: false },
    );
    canvas.addEventListener("keydown", (event) => {
      const step = 0.1 / view.zoom;
      const keys = {
        ArrowLeft: () => { view.x -= step; },
        ArrowRight: () => { view.x += step; },
        ArrowUp: () => { view.y += step; },
        ArrowDown: () => { view.y -= step; },
        "+": () => zoomAt(1.25, width / 2, height / 2),
        "=": () => zoomAt(1.25, width / 2, height / 2),
        "-": () => zoomAt(0.8, width / 2, height / 2),
        "0": whole,
      };
      if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      keys[event.key]();
      move();
    });
    find.addEventListener("input", () => search(find.value, false));
    find.addEventListener("keydown", (event) => {
      if (event.key === "Enter") search(find.value, true);
    });
    figure.querySelector(".ei-whole").addEventListener("click", whole);
    if (when) {
      when.addEventListener("input", () => {
        share = Number(when.value) / 100;
        when.setAttribute("aria-valuetext", `${when.value}% of the way to ${when.dataset.after}`);
        move();
      });
    }
    new ResizeObserver(resize).observe(frame);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);
    resize();
    theme();
    // What tests of a browser ask: where a word is drawn, and how often the map was drawn.
    figure.eiMap = {
      place: (name) => {
        project();
        const place = data.names.indexOf(name);
        return [x[place], y[place], seen(place)];
      },
    };
  }

  for (const figure of document.querySelectorAll(".ei-map")) drawMap(figure);
})();
