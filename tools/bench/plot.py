# SPDX-License-Identifier: GPL-2.0-or-later
"""Cost against the length of the list and against the load, as one SVG of two panels."""
import math
from html import escape
from statistics import median

WIDTH, HEIGHT, LEFT, TOP, GAP = 360, 230, 52, 34, 90     # of a panel; margins
COLOURS = ("#0b6e99", "#c2571a", "#555555")


def short(n):
    for unit, size in (("M", 1_000_000), ("k", 1000)):
        if n >= size:
            return f"{n / size:g}{unit}"
    return f"{n:g}"


def nice(top):
    """The next of 1, 2, 5 times a power of ten."""
    step = 10 ** math.floor(math.log10(top))
    return next(m * step for m in (1, 2, 5, 10) if m * step >= top)


def text(x, y, words, anchor="middle", **more):
    attributes = "".join(f' {k}="{v}"' for k, v in more.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{attributes}>{escape(words)}</text>'


class Panel:
    """Lines over a logarithmic x; y begins at zero."""

    def __init__(self, at, title, x_title, lines):
        self.left, self.title, self.x_title, self.lines = at, title, x_title, lines
        self.xs = sorted({x for _, points in lines for x, _ in points})
        self.top = nice(max(y for _, points in lines for _, y in points))

    def x(self, value):
        low, high = math.log(self.xs[0]), math.log(self.xs[-1])
        return self.left + (math.log(value) - low) / ((high - low) or 1) * WIDTH

    def y(self, value):
        return TOP + HEIGHT - value / self.top * HEIGHT

    def axes(self):
        yield text(self.left + WIDTH / 2, TOP - 14, self.title, **{"font-weight": "bold"})
        yield text(self.left + WIDTH / 2, TOP + HEIGHT + 36, self.x_title)
        for i in range(6):
            value = self.top * i / 5
            yield (f'<line x1="{self.left}" x2="{self.left + WIDTH}" y1="{self.y(value):.1f}" y2="{self.y(value):.1f}" '
                   f'stroke="{"#333" if i == 0 else "#ddd"}"/>')
            yield text(self.left - 6, self.y(value) + 4, f"{value:.3g}", "end")
        for x in self.xs:
            yield text(self.x(x), TOP + HEIGHT + 18, short(x))

    def draw(self):
        yield from self.axes()
        for i, (name, points) in enumerate(self.lines):
            way = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
            yield f'<polyline points="{way}" fill="none" stroke="{COLOURS[i]}" stroke-width="2"/>'
            yield from (f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="3" fill="{COLOURS[i]}"/>' for x, y in points)
            yield text(self.left + WIDTH - 4, TOP + 14 + 16 * i, name, "end", fill=COLOURS[i])


def line(values, rows, system, figure, scale=1):
    """rows: x -> row."""
    return [(x, median(values[f"{row}/{system}/{figure}"]) * scale) for x, row in rows.items()
            if values.get(f"{row}/{system}/{figure}")]


def svg(values, sizes, rates):
    """The picture; empty where its rows were not run."""
    names, load = {n: f"names{n}" for n in sizes}, {r: f"load{r}" for r in rates}
    by_size = [("a packet, daemon", line(values, names, "nfqd", "flood_us")),
               ("of it the look-up", line(values, names, "nfqd", "ns10", 1e-3))]
    by_load = [(s, line(values, load, s, "us")) for s in ("nfqd", "bare consumer")]
    if not all(points for _, points in by_size + by_load):
        return ""
    panels = (Panel(LEFT, "µs a DNS packet, by names in the list", "names", by_size),
              Panel(LEFT + WIDTH + GAP, "µs a DNS packet, by load (daemon)", "packets a second", by_load))
    width, height = LEFT + 2 * WIDTH + GAP + 24, TOP + HEIGHT + 50
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
                      f'<rect width="{width}" height="{height}" fill="#fff"/>', *(s for p in panels for s in p.draw()), "</svg>", ""])
