// What axe-core says of a page, and what only a keyboard shows.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { check, equal } from './report.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** No rule of axe-core is broken, contrast, labels and landmarks included. */
export async function noViolations(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations, passes } = await globalThis.axe.run(globalThis.document);
    return { violations: violations.map((v) => `${v.id}: ${v.nodes[0]?.html}`), passes: passes.length };
  });
  equal(found.violations, [], `${name}: axe-core finds nothing (${found.passes} rules hold)`);
  check(found.passes > 5, `${name}: axe-core looked at it`, `only ${found.passes} rules applied`);
}

/** Tab reaches the named controls in this order and no other, and shows where it is. */
export async function tabOrder(page, name, expected) {
  // Leaving a field is not enough: the browser goes on from where the field stood.
  await page.evaluate(() => {
    const { body } = globalThis.document;
    body.tabIndex = -1;
    body.focus();
    body.removeAttribute('tabindex');
  });
  const order = [];
  for (let step = 0; step < expected.length; step += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const element = globalThis.document.activeElement;
      const ring = globalThis.getComputedStyle(element);
      const shown = ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2;
      return { name: element.id || element.textContent.trim(), shown };
    });
    check(at.shown, `${name}: ${at.name} shows that it has the focus`, 'no outline');
    order.push(at.name);
  }
  equal(order, expected, `${name}: the keyboard walks in reading order`);
}

/** Nothing is wider than the window. */
export async function noSideways(page, name) {
  const over = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = globalThis.document.documentElement;
    return scrollWidth - clientWidth;
  });
  check(over <= 0, `${name}: nothing is wider than the window`, `${over} px too wide`);
}
