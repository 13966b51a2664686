// Takes the page anew twice a minute while somebody looks at it; without scripts readers reload it themselves.
"use strict";
async function refresh() {
  if (document.hidden) return;
  const old = document.getElementById("levels");
  try {
    const answer = await fetch(location.href, { credentials: "omit" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    old.replaceWith(page.getElementById("levels"));
  } catch {
    if (!old.querySelector(".late")) {
      const late = document.createElement("p");
      late.className = "late";
      late.setAttribute("role", "status");
      late.textContent = old.dataset.late;
      old.querySelector(".when").after(late);
    }
  }
}
setInterval(refresh, 30000);
document.addEventListener("visibilitychange", refresh);
