/** The Chromium of this machine, without a window and without a network of its own. */

import { type Browser, chromium } from 'playwright-core';

/** Debian's package, or what the environment names. */
export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Starts it; close it in the end. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
  });
}
