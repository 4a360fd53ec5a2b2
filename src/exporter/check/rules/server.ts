import { checkOf } from '../check-definition.js';
import { productOf } from '../product.js';

/** Which program answers. Not to know is no fault: many proxies pass on queries only. */
export const server = checkOf(
  'server',
  (facts) => facts.server,
  (info) => {
    const product = productOf(info);
    return product === undefined
      ? { severity: 'ok', summary: 'The server does not tell what it is; it answers queries.' }
      : { severity: 'ok', summary: `The server is ${product}.` };
  },
);
