/** Writes the bill of materials to standard output: `npm run --silent sbom`. */

import { billOfMaterials } from './sbom.js';

process.stdout.write(billOfMaterials());
