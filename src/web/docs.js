// Lets a reader of /api/docs try what it describes: with the session of this browser, or with a token that is kept on
// the page only. Everything shown is put in as text, never as markup.
'use strict';

const token = document.getElementById('token');
const session = document.getElementById('session');

document.querySelector('.who').hidden = false;
for (const form of document.querySelectorAll('form.try')) {
  form.hidden = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send(form);
  });
}
// On a narrow screen the contents would fill the first page.
if (window.matchMedia('(max-width: 60rem)').matches) document.querySelector('nav details').open = false;
document.body.classList.add('ready');
tellWho();
token.addEventListener('change', tellWho);

/** Says whose requests these would be. */
async function tellWho() {
  try {
    const answer = await fetch('/api/v1/me', options('get'));
    const body = await answer.json();
    session.textContent = answer.ok ? `You are ${body.name}.` : body.title + '.';
  } catch {
    session.textContent = 'The server does not answer.';
  }
}

function options(method) {
  const value = token.value.trim();
  const given = { method: method.toUpperCase(), headers: {}, redirect: 'manual', credentials: value ? 'omit' : 'same-origin' };
  if (value) given.headers.Authorization = `Bearer ${value}`;
  return given;
}

/** Sends what a form asks for, and shows the answer below it. */
async function send(form) {
  const output = form.querySelector('output');
  const button = form.querySelector('button');
  const given = options(form.dataset.method);
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll('[data-in]')) {
    const value = field.value.trim();
    if (field.dataset.in === 'path') path = path.replace(`{${field.name}}`, encodeURIComponent(value));
    else if (value && field.dataset.in === 'query') query.set(field.name, value);
    else if (value && field.dataset.in === 'header') given.headers[field.name] = value;
    else if (value && field.dataset.in === 'body') {
      given.body = value;
      given.headers['Content-Type'] = 'application/json';
    }
  }
  const url = query.size ? `${path}?${query}` : path;
  button.disabled = true;
  output.replaceChildren(line('p', 'soft', 'Waiting for the answer…'));
  const began = performance.now();
  try {
    const answer = await fetch(url, given);
    const took = Math.round(performance.now() - began);
    const body = await answer.text();
    const headers = ['etag', 'location', 'retry-after'].filter((name) => answer.headers.has(name));
    output.replaceChildren(
      line('p', answer.ok ? 'status ok' : 'status', `${answer.status || 'Redirect'} ${answer.statusText}`.trim() + ` in ${took} ms`),
      ...headers.map((name) => line('p', 'soft', `${name}: ${answer.headers.get(name)}`)),
      ...(body ? [scroll(line('pre', '', pretty(body)))] : []),
      curl(url, given),
    );
  } catch (problem) {
    output.replaceChildren(line('p', 'status', `No answer: ${problem.message}`), curl(url, given));
  } finally {
    button.disabled = false;
  }
}

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** The same for a shell. The token is not written out, so that it is not copied along. */
function curl(url, given) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const parts = ['curl', ...(given.method === 'GET' ? [] : ['-X', given.method]), quoted(location.origin + url)];
  for (const [name, value] of Object.entries(given.headers)) {
    parts.push('\\\n  -H', name === 'Authorization' ? '"Authorization: Bearer $BILLOPS_TOKEN"' : quoted(`${name}: ${value}`));
  }
  if (!given.headers.Authorization) parts.push('\\\n  -H', '"Authorization: Bearer $BILLOPS_TOKEN"');
  if (given.body) parts.push('\\\n  -d', quoted(given.body));
  const details = document.createElement('details');
  details.append(line('summary', '', 'The same with curl'), scroll(line('pre', '', parts.join(' '))));
  return details;
}

/** What is wider than the page can be reached with the keyboard. */
function scroll(element) {
  element.tabIndex = 0;
  return element;
}

function line(tag, kind, text) {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  element.textContent = text;
  return element;
}
