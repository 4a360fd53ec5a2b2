/** What the command line has to know of its commands before one of them is loaded. */

export { DEFAULT_HOURS, MINIMUM_HOURS } from '../demo/hours.js';
export { UsageError } from '../evaluation/errors.js';
export { FeatureFileError } from '../features/feature-file-error.js';
export { WebConfigError } from '../http/web-config/config.js';
