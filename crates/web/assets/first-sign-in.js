// Moves the one-time token from the address into the form, and out of the address: it is never sent in a URL.
'use strict';

const token = new URLSearchParams(window.location.hash.slice(1)).get('token');
if (token) {
  const field = document.getElementById('token');
  field.value = token;
  document.getElementById('token-row').hidden = true;
  document.getElementById('username').focus();
  window.history.replaceState(null, '', window.location.pathname);
}
