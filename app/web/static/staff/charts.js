// Draws the charts of a page from the data blocks beside them. The option is ECharts' own, written
// by the server; what JSON cannot say is said here, once for all charts:
//   option.format, or format of an axis or a series: {"kind": "number" | "money" | "percent",
//     "currency": "EUR", "exponent": 2}; money is in minor units, per cents are shares of 1.
//   a series of type "mark": what was before, as strokes across the bars;
//   a series of type "interval": data of [x, low, high] is drawn as bars with ends.
// Colours tell series apart for the colour-blind too (after Okabe and Ito), and each has a sign and
// a line of its own. Bars begin at zero. Nothing moves for whoever asks for no motion.
(function () {
  "use strict";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const language = document.documentElement.lang || "en";
  const LOOKS = {
    light: {
      colours: ["#0b63a5", "#b84a00", "#00785a", "#8a4b8f", "#7a6200", "#333f4d"],
      text: "#1b2430", quiet: "#59636f", line: "#c3cbd5", back: "#ffffff",
      steps: ["#f1f6fc", "#8fbdea"],
    },
    dark: {
      colours: ["#6cb4f0", "#f2a06b", "#5fd3aa", "#d9a3dd", "#e0c75c", "#c6d0dc"],
      text: "#eef2f7", quiet: "#a9b4c2", line: "#4a5563", back: "#182433",
      steps: ["#1d2a3a", "#1f5c99"],
    },
  };
  const SIGNS = ["circle", "rect", "triangle", "diamond", "roundRect", "pin"];
  const STROKES = ["solid", "dashed", "dotted", [8, 3, 2, 3], [2, 2], [12, 4]];
  const drawn = new Map();

  function writer(format, short) {
    const kind = format && format.kind;
    const options = short ? { notation: "compact", maximumFractionDigits: 1 } : {};
    if (kind === "percent") {
      const digits = short || format.short ? 0 : 1;
      return write({ style: "percent", maximumFractionDigits: digits }, 1);
    }
    if (kind === "money") {
      const whole = Math.pow(10, format.exponent);
      return write({ style: "currency", currency: format.currency, ...options }, whole);
    }
    return write({ maximumFractionDigits: 1, ...options }, 1);
  }

  function write(options, whole) {
    const form = new Intl.NumberFormat(language, options);
    return (value) => {
      const number = Array.isArray(value) ? value[value.length - 1] : value;
      return number === null || number === undefined || number === "-" ? "–" : form.format(number / whole);
    };
  }

  function without(option, name) {
    const { [name]: _, ...rest } = option;
    return rest;
  }

  function list(of) { return of === undefined ? [] : Array.isArray(of) ? of : [of]; }

  function whiskers(colour) {
    return (_, api) => {
      const low = api.coord([api.value(0), api.value(1)]);
      const high = api.coord([api.value(0), api.value(2)]);
      const style = { stroke: colour, lineWidth: 2 };
      const bar = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style });
      return { type: "group", children: [
        bar(low[0], low[1], high[0], high[1]),
        bar(low[0] - 6, low[1], low[0] + 6, low[1]),
        bar(high[0] - 6, high[1], high[0] + 6, high[1]),
      ] };
    };
  }

  function dressAxis(axis, look, format) {
    axis.axisLabel = { color: look.quiet, fontSize: 13, hideOverlap: true, ...axis.axisLabel };
    if (axis.axisLabel.interval === 0) {
      axis.axisLabel.hideOverlap = false;
    }
    axis.axisLine = { lineStyle: { color: look.line }, ...axis.axisLine };
    axis.splitLine = { lineStyle: { color: look.line, opacity: 0.5 }, ...axis.splitLine };
    axis.nameTextStyle = { color: look.quiet, fontSize: 13, ...axis.nameTextStyle };
    if (axis.type === "value") {
      axis.axisLabel.formatter = writer(axis.format || format, true);
    }
    delete axis.format;
  }

  function dressSeries(each, place, look, format) {
    const colour = look.colours[place % look.colours.length];
    const say = writer(each.format || format, false);
    delete each.format;
    if (each.type === "interval") {
      Object.assign(each, {
        type: "custom", renderItem: whiskers(look.text), silent: true, z: 5,
        encode: { x: 0, y: [1, 2] },
      });
      return;
    }
    if (each.type === "mark") {
      // A stroke across each bar, named at the last one.
      const last = each.data.length - 1;
      each.data = each.data.map((value, at) => at < last ? value : {
        value, label: { show: true, position: "right", formatter: each.name, color: look.colours[1] },
      });
      Object.assign(each, {
        type: "scatter", symbol: "rect", symbolSize: [56, 4], z: 6,
        itemStyle: { color: look.colours[1] },
      });
    }
    if (each.type === "line") {
      each.symbol = each.symbol || SIGNS[place % SIGNS.length];
      each.symbolSize = each.symbolSize || 7;
      each.lineStyle = { width: 2.5, type: STROKES[place % STROKES.length], ...each.lineStyle };
      if (each.endLabel) {
        each.endLabel = { color: colour, fontSize: 13, ...each.endLabel };
      }
    }
    for (const name of ["label", "endLabel"]) {
      const label = each[name];
      if (label && label.show && label.formatter === undefined) {
        label.formatter = (told) => say(told.value);
      }
    }
    if (each.label) {
      const inside = each.type === "bar" && String(each.label.position || "").startsWith("inside");
      each.label = { color: inside ? look.back : look.text, fontSize: 13, ...each.label };
    }
    each.tooltip = { valueFormatter: say, ...each.tooltip };
  }

  function dress(option, look) {
    const format = option.format;
    delete option.format;
    const series = list(option.series);
    const bars = series.some((each) => each.type === "bar");
    for (const axis of [...list(option.xAxis), ...list(option.yAxis)]) {
      if (axis.type === "value" && bars) {
        axis.scale = false;
      }
      dressAxis(axis, look, format);
    }
    series.forEach((each, place) => dressSeries(each, place, look, format));
    spread(series);
    for (const map of list(option.visualMap)) {
      map.inRange = { color: look.steps, ...map.inRange };
      map.textStyle = { color: look.quiet };
      map.formatter = writer(format, true);
    }
    return {
      color: look.colours,
      legend: option.legend ? { textStyle: { color: look.text, fontSize: 13 }, ...option.legend } : undefined,
      backgroundColor: "transparent",
      textStyle: { fontFamily: "system-ui, sans-serif", color: look.text },
      animation: !still.matches,
      animationDuration: 200,
      ...without(option, "legend"),
      grid: {
        left: 8, right: 8 + room(series), top: 40, bottom: 8, outerBoundsContain: "all",
        outerBounds: { left: 8, right: 8, top: 8, bottom: 8 }, ...option.grid,
      },
      tooltip: option.tooltip === null ? undefined : {
        renderMode: "richText", confine: true, trigger: "axis",
        backgroundColor: look.back, borderColor: look.line,
        textStyle: { color: look.text, fontSize: 14 }, ...option.tooltip,
      },
    };
  }

  // Names at the ends of lines stand a line of text apart, however close the lines end.
  function spread(series) {
    const named = series.filter((each) => each.type === "line" && each.endLabel && each.endLabel.show);
    const all = named.flatMap((each) => each.data.filter((value) => typeof value === "number"));
    const most = Math.max(1, ...all);
    const ends = named.map((each) => [...each.data].reverse().find((value) => typeof value === "number") || 0);
    const order = named.map((_, at) => at).sort((a, b) => ends[b] - ends[a]);
    let free = -Infinity;
    for (const at of order) {
      const wanted = (1 - ends[at] / most) * 230;
      const place = Math.max(wanted, free);
      free = place + 17;
      named[at].endLabel.offset = [0, place - wanted];
    }
    // What was pushed below the axis goes up again, with all that is above it.
    const low = Math.max(0, free - 17 - 232);
    order.forEach((at) => { named[at].endLabel.offset[1] -= low; });
  }

  // As much as the longest name at the end of a line needs.
  function room(series) {
    const names = series.filter((each) => each.type === "scatter" || (each.endLabel && each.endLabel.show))
      .map((each) => each.name || "");
    return Math.max(0, ...names.map((name) => 12 + 8 * name.length));
  }

  function draw(place) {
    const block = document.getElementById(place.dataset.chart);
    if (!block || !window.echarts) {
      return;
    }
    const look = dark.matches ? LOOKS.dark : LOOKS.light;
    const old = drawn.get(place);
    if (old) {
      old.dispose();
    }
    const chart = window.echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(dress(JSON.parse(block.textContent), look));
    drawn.set(place, chart);
  }

  function drawAll(within) {
    within.querySelectorAll("[data-chart]").forEach((place) => {
      if (!drawn.has(place)) {
        draw(place);
      }
    });
  }

  function redraw() {
    for (const place of [...drawn.keys()]) {
      if (place.isConnected) {
        draw(place);
      } else {
        drawn.get(place).dispose();
        drawn.delete(place);
      }
    }
  }

  dark.addEventListener("change", redraw);
  still.addEventListener("change", redraw);
  new ResizeObserver(() => drawn.forEach((chart) => chart.resize())).observe(document.documentElement);
  window.addEventListener("beforeprint", () => drawn.forEach((chart) => chart.resize()));
  document.body.addEventListener("htmx:load", (event) => drawAll(event.target));
  drawAll(document);
})();
