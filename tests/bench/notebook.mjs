// What a notebook that is open costs its reader: typing, scrolling, autosave, and what is kept of Python.

import { until, withPage } from "../browser/browser.mjs";

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const idle = (page) => until(page, () => globalThis.spoor?.cells.length > 0 && spoor.state === "idle");

/** Opens `url` and calls `use(page)` once its kernel is idle and the page has come to rest. */
function opened(url, use) {
  return withPage(async (page) => {
    await page.goto(url);
    await idle(page);
    await sleep(1500);
    return use(page);
  });
}

/**
 * Types in the middle of a long notebook, in the cell of each of `ids`. For each cell, per key in milliseconds: `paint`, from
 * the event's own time to the end of the frame that shows it, which waits for the screen's next frame;
 * `work`, the same without that wait.
 */
export function typing(url, ids, keys) {
  return opened(url, async (page) => {
    const figures = {};
    for (const [name, id] of Object.entries(ids)) {
      const cell = page.locator(".cell").nth(id);
      await cell.locator(".source").first().click();
      await cell.locator(".cm-content").waitFor();
      await until(page, () => document.activeElement.matches(".cm-content"));
      await page.keyboard.press("Control+End");
      await sleep(500);
      await page.evaluate(timeKeys);
      for (let key = 0; key < keys; key++) {
        await page.keyboard.press("abcde fgh"[key % 9] === " " ? "Space" : "abcde fgh"[key % 9]);
        // Not in step with the frames.
        await sleep(40 + Math.random() * 40);
      }
      await sleep(200);
      figures[name] = await page.evaluate(() => globalThis.benchKeys);
      if (figures[name].paint.length !== keys) throw new Error(`${figures[name].paint.length} of ${keys} keys were painted`);
      await page.keyboard.press("Escape");
    }
    return figures;
  });
}

/** In the page: times each key from now on. */
function timeKeys() {
  const times = { paint: [], work: [] };
  globalThis.benchKeys = times;
  globalThis.benchListener?.abort();
  const listener = (globalThis.benchListener = new AbortController());
  addEventListener("keydown", (event) => {
    if (event.key.length !== 1 && event.key !== " ") return;
    const begun = event.timeStamp;
    let handled = begun;
    // The editor looks at what was typed in a microtask, which comes before this one.
    addEventListener("input", () => Promise.resolve().then(() => { handled = performance.now(); }), { once: true });
    requestAnimationFrame(() => {
      const drawing = performance.now();
      const painted = new MessageChannel();
      painted.port1.onmessage = () => {
        const now = performance.now();
        times.paint.push(now - begun);
        times.work.push(now - begun - Math.max(drawing - handled, 0));
      };
      painted.port2.postMessage(0);
    });
  }, { capture: true, signal: listener.signal });
}

/**
 * Scrolls the result of the first cell of `url`, which is run, by the wheel for `seconds`, `runs` times:
 * `{ rate, longest, late }`, frames a second, the longest frame in milliseconds, and the share of the frames in which
 * some row that is or soon will be in view had not come yet.
 */
export function scrolling(url, runs, seconds) {
  return opened(`${url}&run`, async (page) => {
    await until(page, () => spoor.finished, undefined, 120_000);
    const grid = page.locator('.result [role="grid"]').first();
    await grid.waitFor();
    await until(page, () => document.querySelector(".grid-row")?.textContent.length > 0);
    const { x, y, width, height } = await grid.boundingBox();
    const session = await page.context().newCDPSession(page);
    const figures = [];
    for (let run = 0; run < runs; run++) {
      const speed = 4000;
      await page.evaluate(timeFrames);
      await session.send("Input.synthesizeScrollGesture", {
        x: x + width / 2, y: y + height / 2, yDistance: -speed * seconds, speed, gestureSourceType: "mouse", preventFling: true,
      });
      const { frames, busy, moved } = await page.evaluate(() => globalThis.benchFrames.end());
      if (moved < speed * seconds / 4) throw new Error(`the table scrolled by ${moved} pixels only`);
      const steps = frames.slice(1).map((at, index) => at - frames[index]);
      figures.push({ rate: 1000 * steps.length / (frames.at(-1) - frames[0]), longest: Math.max(...steps), late: busy / frames.length, moved });
      await sleep(500);
    }
    return figures;
  });
}

/** In the page: notes each frame from now on, and whether the table waits for rows in it. */
function timeFrames() {
  const grid = document.querySelector('.result [role="grid"]');
  const from = grid.scrollTop;
  const [frames, state] = [[], { busy: 0, going: true }];
  const frame = (at) => {
    // What comes before and after the scrolling does not count.
    if (grid.scrollTop !== state.top) {
      frames.push(at);
      if (grid.getAttribute("aria-busy") === "true") state.busy++;
    }
    state.top = grid.scrollTop;
    if (state.going) requestAnimationFrame(frame);
  };
  state.top = grid.scrollTop;
  requestAnimationFrame(frame);
  globalThis.benchFrames = { end() { state.going = false; return { frames, busy: state.busy, moved: grid.scrollTop - from }; } };
}

/**
 * Milliseconds of `x = 1` in the cell `a` of `url`, whose first run is `first`: `apart`, each when Python has
 * long been idle, and `together`, each as soon as the one before has ended, whose state is then yet to be kept.
 */
export function cells(url, first, count) {
  return opened(url, (page) => page.evaluate(async ([source, times]) => {
    const run = (code) => new Promise((done) => {
      const begun = performance.now();
      const look = () => (spoor.finished ? done(performance.now() - begun) : channel.port2.postMessage(0));
      const channel = new MessageChannel();
      channel.port1.onmessage = look;
      spoor.run("a", code);
      look();
    });
    const pause = () => new Promise((done) => setTimeout(done, 500));
    await run(source);
    await pause();
    const [apart, together] = [[], []];
    for (let time = 0; time <= times; time++) {
      await pause();
      apart.push(await run("x = 1"));
    }
    for (let time = 0; time <= times; time++) together.push(await run("x = 1"));
    // The first of each is still of the kind before.
    return { apart: apart.slice(1), together: together.slice(1) };
  }, [first, count]));
}

/**
 * What the page's thread works, in milliseconds, from the start of an `x = 1` until long after it: in a notebook that
 * is saved (`own`) and in the same one that is not (`plain`); the difference is autosave's.
 */
export async function autosave(url, notebook, text, count) {
  const both = {};
  both.plain = await opened(`${url}?nb=${notebook}`, (page) => worked(page, count));
  both.own = await withPage(async (page) => {
    await page.goto(url);
    await until(page, () => globalThis.spoor?.storage !== undefined);
    const id = await page.evaluate((content) => spoor.storage.create("bench.ipynb", content), text);
    await page.goto(`${url}?file=${id}`);
    await idle(page);
    await sleep(1500);
    const times = await worked(page, count);
    await until(page, () => document.querySelector(".saved").textContent === "saved");
    return times;
  });
  return both;
}

async function worked(page, count) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const work = async () => (await session.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration").value * 1000;
  const run = async () => {
    const before = await work();
    await page.evaluate(() => spoor.run("a", "x = 1"));
    // Autosave waits 1.5 s.
    await sleep(2500);
    return (await work()) - before;
  };
  await run();
  const times = [];
  for (let time = 0; time < count; time++) times.push(await run());
  return times;
}
