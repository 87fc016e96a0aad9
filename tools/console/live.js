// SPDX-License-Identifier: GPL-2.0-or-later
// The live page: rows come as server-sent events, as the server writes them. Without this script the page has a button.
"use strict";
(() => {
	const MOST = 300;
	const form = document.getElementById("live"), body = document.querySelector("tbody");
	const filter = document.getElementById("filter"), button = document.createElement("button");
	const said = document.createElement("span");
	let paused = false, waiting = [];

	if (!form || !body || !window.EventSource)
		return;

	const wanted = row => row.textContent.toLowerCase().includes(filter.value.toLowerCase());

	const show = row => {
		row.hidden = !wanted(row);
		body.prepend(row);
		while (body.rows.length > MOST)
			body.lastElementChild.remove();
	};

	const name = () => {
		button.textContent = paused ? form.dataset.resume : form.dataset.pause;
		button.setAttribute("aria-pressed", paused);
		said.textContent = waiting.length ? ` +${waiting.length}` : "";
	};

	const seen = new Set(Array.from(body.rows, row => row.querySelector("a[href^='/evidence']").href));

	const come = event => {
		const holder = document.createElement("template");

		holder.innerHTML = event.data; // the server escaped it; the page's policy lets no script in
		const row = holder.content.querySelector("tr"), key = row.querySelector("a[href^='/evidence']").href;

		if (seen.has(key))
			return;
		seen.add(key);
		if (paused)
			waiting = waiting.concat(row).slice(-MOST);
		else
			show(row);
		name();
	};

	button.type = "button";
	button.id = "pause";
	button.addEventListener("click", () => {
		paused = !paused;
		if (!paused) {
			waiting.forEach(show);
			waiting = [];
		}
		name();
	});
	filter.addEventListener("input", () => Array.from(body.rows).forEach(row => { row.hidden = !wanted(row); }));
	form.addEventListener("submit", event => event.preventDefault());
	said.setAttribute("role", "status");
	form.append(button, said);
	name();
	new EventSource("/live/events").addEventListener("message", come);
})();
