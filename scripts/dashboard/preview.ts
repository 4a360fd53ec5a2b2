/**
 * `npm run dashboard:preview -- <file.html> [minutes]`: runs incidents in a simulated cluster for some minutes and writes
 * a page with what the dashboard then shows.
 */

import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SCRIPT } from '../../src/tools/simulation/incidents.js';
import { startMonitoredCluster } from '../../test/support/dashboard-cluster.js';
import { createGrafana } from './grafana.js';
import { readDashboard } from './json.js';
import { dashboardPage } from './page.js';

const [file = 'dashboard.html', minutes = '6'] = process.argv.slice(2);
const seconds = Number(minutes) * 60;
const cluster = await startMonitoredCluster(SCRIPT);
try {
  console.log(`Watching the cluster for ${minutes} minutes.`);
  await sleep(seconds * 1000);
  const toSeconds = Date.now() / 1000;
  const { prometheusUrl } = cluster;
  const grafana = createGrafana({
    prometheusUrl,
    fromSeconds: toSeconds - seconds,
    toSeconds,
    stepSeconds: 5,
  });
  writeFileSync(file, await dashboardPage(readDashboard(), grafana));
  console.log(`Wrote ${file}.`);
} finally {
  await cluster.close();
}
