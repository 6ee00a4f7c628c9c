// The people of a made-up company, as the foreign identity providers of the tests know them.

import { randomBytes } from 'node:crypto';

/** Who is there; `dora` left the company, ben's e-mail address was never verified. */
export const PEOPLE = [
  { username: 'ada', groups: ['engineering'] },
  { username: 'ben', groups: ['engineering', 'contractors'], emailVerified: false },
  { username: 'cleo', groups: ['finance'] },
  { username: 'dora', groups: ['engineering'], enabled: false },
];

export const secret = () => randomBytes(18).toString('base64url');

/** A whole person from what is given; the password is made anew where none is given. */
export function person({ username, password = secret(), email = `${username}@corp.example`, ...rest }) {
  return {
    username,
    password,
    email,
    emailVerified: true,
    enabled: true,
    firstName: username.charAt(0).toUpperCase() + username.slice(1),
    lastName: 'Example',
    groups: [],
    ...rest,
  };
}
