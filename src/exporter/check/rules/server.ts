import { checkOf } from '../check-definition.js';
import { productOf } from '../product.js';

/** Which program answers. It may be unknown: many proxies forward queries only. */
export const server = checkOf(
  'server',
  (facts) => facts.server,
  (info) => {
    const product = productOf(info);
    return product === undefined
      ? {
          severity: 'ok',
          summary: 'The server does not report its name and version, but it answers queries.',
        }
      : { severity: 'ok', summary: `The server is ${product}.` };
  },
);
