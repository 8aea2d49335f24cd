// Draws the chart of the usage page. The figures are in the page, and in the table under the chart.
(() => {
  const place = document.getElementById("chart");
  if (!place || !window.uPlot) return;
  const data = JSON.parse(place.dataset.series);
  const height = 220;
  let chart = null;

  // A colour of the style sheet as it is now, light or dark.
  const colour = (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(${name})`;
    place.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };

  const draw = () => {
    chart?.destroy();
    const axis = { stroke: colour("--ink-3"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
    chart = new uPlot({
      width: place.clientWidth, height,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { y: { range: (u, least, most) => [0, Math.max(most, 4)] } },
      axes: [axis, { ...axis, size: 56, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000] }],
      series: [{ label: "Day", value: "{YYYY}-{MM}-{DD}" }, { label: place.dataset.label, width: 0, fill: colour("--accent"), paths: uPlot.paths.bars({ size: [0.6, 24] }), points: { show: false }, value: (u, v) => v ?? "–" }],
      legend: { live: true },
    }, data, place);
  };

  draw();
  new ResizeObserver(() => { if (chart && chart.width !== place.clientWidth) chart.setSize({ width: place.clientWidth, height }); }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
})();
