// Asks the browser for a passkey and sends its answer in the form that asked. Nothing is fetched and nothing is kept.
'use strict';

const decode = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (letter) => letter.charCodeAt(0));

const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

const named = (list) => (list ?? []).map((one) => ({ ...one, id: decode(one.id) }));

function askedOf(form) {
  const asked = JSON.parse(form.dataset.options).publicKey;
  asked.challenge = decode(asked.challenge);
  if (form.dataset.passkey === 'create') {
    asked.user.id = decode(asked.user.id);
    asked.excludeCredentials = named(asked.excludeCredentials);
  } else {
    asked.allowCredentials = named(asked.allowCredentials);
  }
  return { publicKey: asked };
}

function answerOf(credential) {
  const said = credential.response;
  const response = { clientDataJSON: encode(said.clientDataJSON) };
  if (said.attestationObject) {
    response.attestationObject = encode(said.attestationObject);
  } else {
    response.authenticatorData = encode(said.authenticatorData);
    response.signature = encode(said.signature);
    response.userHandle = said.userHandle ? encode(said.userHandle) : null;
  }
  return JSON.stringify({
    id: credential.id,
    rawId: encode(credential.rawId),
    type: credential.type,
    extensions: {},
    response,
  });
}

async function ask(form) {
  const problem = form.querySelector('[data-problem]');
  const button = form.querySelector('button');
  problem.hidden = true;
  button.disabled = true;
  try {
    const asked = askedOf(form);
    const creates = form.dataset.passkey === 'create';
    const credential = await (creates ? navigator.credentials.create(asked) : navigator.credentials.get(asked));
    form.elements.answer.value = answerOf(credential);
    form.submit();
  } catch (error) {
    const words = {
      InvalidStateError: 'This device has a passkey for you already.',
      NotAllowedError: 'Nothing happened in time, or it was cancelled. Please try again.',
    };
    problem.textContent = words[error.name] ?? 'This browser could not do that. Please use another way.';
    problem.hidden = false;
    button.disabled = false;
    button.focus();
  }
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    form.hidden = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (form.reportValidity()) ask(form);
    });
  }
  for (const one of document.querySelectorAll('[data-with-passkeys]')) one.hidden = false;
}
