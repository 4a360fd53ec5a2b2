/** Writes what is generated from the rules and the routes: `npm run rules`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { ALERTMANAGER_FILE, ALERTMANAGER_VALUES_FILE, alertmanagerValues } from './alertmanager-values.js';
import { PROMETHEUS_RULE_FILE, prometheusRule, RULES_FILE } from './prometheus-rules.js';

writeFileSync(PROMETHEUS_RULE_FILE, prometheusRule(readFileSync(RULES_FILE, 'utf8')));
writeFileSync(ALERTMANAGER_VALUES_FILE, alertmanagerValues(readFileSync(ALERTMANAGER_FILE, 'utf8')));
