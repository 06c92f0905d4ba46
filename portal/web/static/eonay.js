// SPDX-License-Identifier: Apache-2.0
// What makes the page of figure 7 comfortable. Every page works without it: the code's page has a link to look again.
(() => {
  'use strict';

  const fill = (text, n) => text.replace('{n}', String(n));

  function countdown(box) {
    const left = box.querySelector('[data-left]');
    const bar = box.querySelector('progress');
    const say = box.querySelector('[data-say]');
    // The server says how many seconds remain; this machine's clock is used for differences only.
    const end = performance.now() + Number(box.dataset.seconds) * 1000;
    const spoken = new Set();
    const tick = () => {
      const n = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      left.textContent = fill(box.dataset.leftText, n);
      if (bar) bar.value = n;
      for (const mark of [60, 30, 10])
        if (n <= mark && n > mark - 5 && !spoken.has(mark)) {
          spoken.add(mark);
          say.textContent = fill(box.dataset.leftText, n);
        }
      if (n > 0) window.setTimeout(tick, 250);
      else box.dispatchEvent(new CustomEvent('eonay-over'));
    };
    tick();
  }

  function copying(box) {
    const button = box.querySelector('[data-copy]');
    const say = box.querySelector('[data-say]');
    if (!button || !navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(box.dataset.code);
        say.textContent = box.dataset.copiedText;
      } catch {
        say.textContent = box.dataset.copyFailedText;
      }
    });
  }

  // Asks for the state until it differs from the one this page shows, then loads the page that fits it. The server keeps
  // the question until something happens, for up to 25 seconds; an answer that came sooner with nothing new is a
  // server that cannot, and is asked every two seconds.
  function watching(box) {
    let failures = 0;
    const ask = async () => {
      const begun = performance.now();
      let wait = 2000;
      try {
        const answer = await fetch(`${box.dataset.watch}?durum=${box.dataset.state}`, {
          headers: { Accept: 'application/json', Prefer: 'wait=25' }, cache: 'no-store',
        });
        if (answer.status === 401) {
          window.location.reload();
          return;
        }
        if (answer.ok) {
          failures = 0;
          const state = (await answer.json()).state;
          if (state !== box.dataset.state) {
            window.location.replace(box.dataset.next);
            return;
          }
          if (performance.now() - begun > 5000) wait = 0;
        } else failures += 1;
      } catch {
        failures += 1;
      }
      wait += Math.min(failures, 10) * 1000;
      window.setTimeout(ask, wait);
    };
    window.setTimeout(ask, 0);
    box.addEventListener('eonay-over', () => window.location.replace(box.dataset.next), { once: true });
  }

  // The button of figure 6 opens with the check box; without this the server asks for it.
  function agreeing(form) {
    const check = form.querySelector('input[type=checkbox]');
    const button = form.querySelector('button');
    const follow = () => { button.disabled = !check.checked; };
    check.addEventListener('change', follow);
    follow();
  }

  for (const box of document.querySelectorAll('[data-seconds]')) countdown(box);
  for (const box of document.querySelectorAll('[data-code]')) copying(box);
  for (const box of document.querySelectorAll('[data-watch]')) watching(box);
  for (const form of document.querySelectorAll('form[data-agree]')) agreeing(form);
})();
