
"use strict";
const live = document.getElementById("live"), lost = document.getElementById("lost");
const source = new EventSource("/live");
source.addEventListener("message", (event) => {
  lost.hidden = true;
  const place = [...live.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  live.innerHTML = event.data;
  live.querySelectorAll(".scroll").forEach((one, at) => { one.scrollLeft = place[at] || 0; });
});
source.addEventListener("open", () => { lost.hidden = true; });
source.addEventListener("error", () => { lost.hidden = false; });
