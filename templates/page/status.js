// The page is whole without this. With it, it looks again by itself: when something happens, and as time goes by.
"use strict";
(() => {
  const EVERY = 15000, SOONEST = 1000; // milliseconds
  let busy = false, again = false, timer = 0;

  const put = (id, fresh) => {
    const old = document.getElementById(id), made = fresh.getElementById(id);
    if (old.innerHTML !== made.innerHTML) old.replaceChildren(...made.childNodes);
  };

  const lost = (why) => {
    document.getElementById("lost").hidden = !why;
    document.getElementById("lost-why").textContent = why;
  };

  const look = async () => {
    if (busy) { again = true; return; }
    busy = true; again = false;
    clearTimeout(timer);
    const focus = document.activeElement && document.activeElement.id;
    try {
      const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(EVERY) });
      if (!answer.ok) throw new Error(`it answered with ${answer.status}`);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      ["summary", "asof", "content"].forEach((id) => put(id, fresh));
      document.title = fresh.title;
      lost("");
      if (focus && document.getElementById(focus)) document.getElementById(focus).focus();
    } catch (error) {
      lost(error.message);
    }
    setTimeout(() => {
      busy = false;
      if (again) look();
    }, SOONEST);
    timer = setTimeout(look, EVERY);
  };

  new EventSource("api/events").onmessage = look;
  document.addEventListener("visibilitychange", () => document.hidden || look());
  document.getElementById("live").hidden = false;
  timer = setTimeout(look, EVERY);
})();
