// Keycloak for a person at the keyboard, or for drivers run one by one: starts it and waits for Ctrl-C.
//
//   interop/run keycloak-server FILE          FILE is what drivers take as their Keycloak

import { startKeycloak } from './lib/keycloak.mjs';
import { check, fail, main } from './lib/report.mjs';

main('keycloak-server', async (cleanup) => {
  const file = process.argv[2] ?? fail('usage', 'interop/run keycloak-server FILE');
  const ended = new Promise((resolve) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, resolve)));
  const keycloak = await startKeycloak();
  cleanup(() => keycloak.stop());
  keycloak.saveTo(file);
  const { version } = await keycloak.about();
  check(version, `Keycloak ${version} at ${keycloak.url}`);
  await ended;
});
