/** `npm run dashboard`: writes `deploy/grafana/dashboard.json` and its copy in the Helm chart. */

import { writeFileSync } from 'node:fs';
import { buildDashboard } from './build.js';
import { CHART_DASHBOARD_FILE, DASHBOARD_FILE } from './json.js';

const dashboard = buildDashboard();
writeFileSync(DASHBOARD_FILE, JSON.stringify(dashboard, null, 2));
writeFileSync(CHART_DASHBOARD_FILE, JSON.stringify(dashboard));
