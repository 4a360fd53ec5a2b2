/** Writes the chart with the image of a release: `npm run release:chart -- REPOSITORY@DIGEST FOLDER`. */

import { parseImage, writeReleasedChart } from './chart.js';

const [image = '', folder = ''] = process.argv.slice(2);
if (folder === '') throw new Error('Expected an image and the folder of the chart to write.');
writeReleasedChart(parseImage(image), folder);
