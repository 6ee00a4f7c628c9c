// Preloaded into foreign servers that would listen on every interface: keeps them on 127.0.0.1.

import net from 'node:net';

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) {
  const [first, second] = given;
  if ((typeof first === 'number' || /^\d+$/.test(String(first))) && typeof second !== 'string') {
    given.splice(1, 0, '127.0.0.1');
  }
  return listen.apply(this, given);
};
