// A browser without a screen: keeps cookies, follows redirects, fills in and submits HTML forms.
// It knows no page of any product: a form with a password field is a sign-in, any other is confirmed.

/** A page that could not be passed, in words. */
export class BrowserError extends Error {}

function fail(reason) {
  throw new BrowserError(reason);
}

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

export function decodeEntities(text) {
  return text.replace(/&(#x[0-9a-f]+|#[0-9]+|[a-z]+);/gi, (whole, name) => {
    if (name[0] !== '#') return ENTITIES[name.toLowerCase()] ?? whole;
    const code = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10);
    return String.fromCodePoint(code);
  });
}

function attributes(tag) {
  const out = {};
  const body = tag.replace(/^<\/?[a-z0-9]+/i, '').replace(/\/?>$/, '');
  for (const [, name, , a, b, c] of body.matchAll(/([^\s=/>"']+)(\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?/g)) {
    out[name.toLowerCase()] = decodeEntities(a ?? b ?? c ?? '');
  }
  return out;
}

const CONTROL = /<(?:input|button|textarea)\b[^>]*>/gi;

/** Every form of a page: where it goes, how, and its fields. */
export function forms(html) {
  return [...html.matchAll(/<form\b[^>]*>([\s\S]*?)<\/form>/gi)].map(([whole, inside]) => {
    const form = attributes(whole.match(/<form\b[^>]*>/i)[0]);
    const fields = [];
    const owned = [...html.matchAll(CONTROL)].filter(([tag]) => form.id && attributes(tag).form === form.id);
    for (const [tag] of [...inside.matchAll(CONTROL), ...owned]) {
      const at = attributes(tag);
      const element = tag.match(/^<([a-z]+)/i)[1].toLowerCase();
      const type = (at.type ?? (element === 'button' ? 'submit' : 'text')).toLowerCase();
      fields.push({ name: at.name, value: at.value ?? (type === 'checkbox' ? 'on' : ''), type, checked: 'checked' in at });
    }
    for (const [, open, options] of inside.matchAll(/(<select\b[^>]*>)([\s\S]*?)<\/select>/gi)) {
      const tags = [...options.matchAll(/<option\b[^>]*>/gi)].map(([t]) => attributes(t));
      const chosen = tags.find((t) => 'selected' in t) ?? tags[0];
      fields.push({ name: attributes(open).name, value: chosen?.value ?? '', type: 'select' });
    }
    return { action: form.action ?? '', method: (form.method ?? 'get').toLowerCase(), fields };
  });
}

class CookieJar {
  #cookies = new Map();

  store(url, headers) {
    for (const line of headers.getSetCookie()) {
      const [pair, ...rest] = line.split(';').map((part) => part.trim());
      const cut = pair.indexOf('=');
      const at = Object.fromEntries(
        rest.map((part) => {
          const [name, ...value] = part.split('=');
          return [name.toLowerCase(), value.join('=')];
        }),
      );
      const path = at.path?.startsWith('/') ? at.path : url.pathname.replace(/\/[^/]*$/, '') || '/';
      const cookie = { name: pair.slice(0, cut), value: pair.slice(cut + 1), host: url.hostname, path };
      const gone = at['max-age'] !== undefined ? Number(at['max-age']) <= 0 : at.expires && Date.parse(at.expires) <= Date.now();
      const key = `${cookie.host} ${cookie.path} ${cookie.name}`;
      if (gone) this.#cookies.delete(key);
      else this.#cookies.set(key, cookie);
    }
  }

  header(url) {
    const fits = (c) =>
      c.host === url.hostname &&
      (url.pathname === c.path || url.pathname.startsWith(c.path.endsWith('/') ? c.path : `${c.path}/`));
    return [...this.#cookies.values()].filter(fits).map((c) => `${c.name}=${c.value}`).join('; ');
  }
}

export class Browser {
  #jar = new CookieJar();
  /** How often a page asked for a confirmation that was not a sign-in. */
  confirmations = 0;
  /** How often a password was asked for. */
  signIns = 0;
  /** What becomes of a form before it is posted: the place to alter what passes through the browser. */
  alter = (body) => body;

  async #request(url, init = {}) {
    const cookie = this.#jar.header(url);
    const headers = { accept: 'text/html,application/xhtml+xml', ...(cookie && { cookie }), ...init.headers };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    this.#jar.store(url, response.headers);
    return response;
  }

  /**
   * Opens `start`, signs in where a page asks, and walks on until the redirect goes to `until`.
   * Hands back that last URL without opening it.
   */
  async walk(start, until, credentials) {
    let url = new URL(start);
    let init = {};
    for (let step = 0; step < 25; step += 1) {
      if (leadsTo(url, until)) return url;
      const response = await this.#request(url, init);
      const location = response.headers.get('location');
      if (response.status >= 300 && response.status < 400 && location) {
        const keep = response.status === 307 || response.status === 308;
        url = new URL(location, url);
        init = keep ? init : {};
        continue;
      }
      const html = await response.text();
      const pages = forms(html);
      const page = pages.find((f) => f.fields.some((x) => x.type === 'password')) ?? pages.find((f) => f.method === 'post');
      if (!page) fail(`${url.origin}${url.pathname} answered ${response.status} without a form: ${words(html)}`);
      const target = new URL(page.action || url.href, url);
      const body = this.alter(this.#fill(page, credentials, url, html), target);
      const post = page.method === 'post';
      if (!post) target.search = body.toString();
      init = post ? { method: 'POST', body, headers: postHeaders(url) } : {};
      url = target;
    }
    return fail(`gave up after 25 steps at ${url.origin}${url.pathname}`);
  }

  /** Opens `start`, or posts `form` to it, follows redirects, and hands back the page that stands. */
  async open(start, form) {
    let url = new URL(start);
    let init = form ? { method: 'POST', body: new URLSearchParams(form), headers: postHeaders(url) } : {};
    for (let step = 0; step < 10; step += 1) {
      const response = await this.#request(url, init);
      const location = response.headers.get('location');
      const html = await response.text();
      if (!location) return { url, status: response.status, headers: response.headers, html, text: words(html) };
      url = new URL(location, url);
      init = {};
    }
    return fail(`gave up after 10 redirects at ${url.origin}${url.pathname}`);
  }

  /** Opens `start` and confirms what is asked, until a page stands without a form to post. */
  async settle(start) {
    let url = new URL(start);
    let init = {};
    for (let step = 0; step < 10; step += 1) {
      const response = await this.#request(url, init);
      const location = response.headers.get('location');
      if (response.status >= 300 && response.status < 400 && location) {
        url = new URL(location, url);
        init = {};
        continue;
      }
      const html = await response.text();
      const page = forms(html).find((f) => f.method === 'post' && !f.fields.some((x) => x.type === 'password'));
      if (!page || step === 9) return { url, status: response.status, text: words(html) };
      init = { method: 'POST', body: this.#fill(page, undefined, url, html), headers: postHeaders(url) };
      url = new URL(page.action || url.href, url);
    }
    return fail(`gave up after 10 steps at ${url.origin}${url.pathname}`);
  }

  #fill(form, credentials, url, html) {
    const password = form.fields.find((f) => f.type === 'password');
    if (password) {
      this.signIns += 1;
      if (!credentials) fail(`${url.pathname} asked for a password where none was expected`);
      if (this.signIns > 1 && credentials.used) fail(`the sign-in was refused: ${words(html)}`);
      credentials.used = true;
    } else {
      this.confirmations += 1;
    }
    const textual = form.fields.filter((f) => ['text', 'email', 'search'].includes(f.type) && f.name);
    const user = password && (textual.find((f) => /user|login|mail|name/i.test(f.name)) ?? textual[0]);
    const body = new URLSearchParams();
    for (const field of form.fields) {
      if (!field.name) continue;
      if (field === password) body.append(field.name, credentials.password);
      else if (field === user) body.append(field.name, credentials.username);
      else if (['submit', 'image', 'reset', 'button'].includes(field.type)) continue;
      else if (['checkbox', 'radio'].includes(field.type) && !field.checked) continue;
      else body.append(field.name, field.value);
    }
    const submits = form.fields.filter((f) => f.type === 'submit' && f.name);
    const press = submits.find((f) => /allow|approve|accept|yes|continue|confirm|sign/i.test(`${f.name} ${f.value}`)) ?? submits[0];
    if (press) body.append(press.name, press.value);
    return body;
  }
}

function postHeaders(page) {
  return { 'content-type': 'application/x-www-form-urlencoded', origin: page.origin, referer: page.href };
}

function leadsTo(url, until) {
  const target = new URL(until);
  return url.origin === target.origin && url.pathname === target.pathname;
}

function words(html) {
  return decodeEntities(html.replace(/<(script|style)[\s\S]*?<\/\1>/gi, ' ').replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 400);
}
