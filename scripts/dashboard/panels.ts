/** The rows of the dashboard, from top to bottom. */

import { exporter } from './rows/exporter.js';
import { overview } from './rows/overview.js';
import { pods } from './rows/pods.js';
import { reasons } from './rows/reasons.js';
import type { DashboardRow } from './rows/row.js';
import { scope } from './rows/scope.js';

export const ROWS: readonly DashboardRow[] = [overview, reasons, scope, pods, exporter];
