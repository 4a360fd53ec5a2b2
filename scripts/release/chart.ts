/** The Helm chart as it is published: with the image of the release, where the repository has a placeholder. */

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, parse, parseDocument, stringify } from 'yaml';
import { HOMEPAGE, VERSION } from '../../src/exporter/version.js';
import { CHART_FOLDER } from '../helm-chart/values.js';
import { tagOf, withWholeLinks } from './notes.js';

/** An image by its content. */
export interface Image {
  /** With its registry: `registry.example/team/name`. */
  readonly repository: string;
  /** `sha256:…`, of the index of all platforms. */
  readonly digest: string;
}

const IMAGES = ['annotations', 'artifacthub.io/images'];
const PRERELEASE = ['annotations', 'artifacthub.io/prerelease'];

/** @throws Error unless the text is `REPOSITORY@sha256:DIGEST`. */
export function parseImage(text: string): Image {
  const [, repository, digest] = /^([a-z0-9][a-z0-9._:/-]*)@(sha256:[0-9a-f]{64})$/.exec(text) ?? [];
  if (repository === undefined || digest === undefined) {
    throw new Error(`Expected an image as repository@sha256:digest, in lower case, got "${text}".`);
  }
  return { repository, digest };
}

/** Copies the chart into a folder that is not there yet, with that image, and with links that lead to the files of its version. */
export function writeReleasedChart(image: Image, folder: string): void {
  cpSync(CHART_FOLDER, folder, { recursive: true });
  change(join(folder, 'values.yaml'), (values) => {
    values.setIn(['image', 'repository'], image.repository);
    values.setIn(['image', 'digest'], image.digest);
  });
  change(join(folder, 'Chart.yaml'), (chart) => {
    const images = parse(String(chart.getIn(IMAGES))) as readonly object[];
    const named = images.map((one) => ({ ...one, image: `${image.repository}@${image.digest}` }));
    chart.setIn(IMAGES, stringify(named));
    chart.setIn(PRERELEASE, String(String(chart.get('version')).includes('-')));
  });
  const readme = join(folder, 'README.md');
  const place = `${HOMEPAGE}/blob/${tagOf(VERSION)}/${CHART_FOLDER}/README.md`;
  writeFileSync(readme, withWholeLinks(readFileSync(readme, 'utf8'), place));
}

function change(path: string, edit: (document: Document.Parsed) => void): void {
  const document = parseDocument(readFileSync(path, 'utf8'));
  const [failure] = document.errors;
  if (failure !== undefined) throw failure;
  edit(document);
  writeFileSync(path, document.toString({ lineWidth: 0 }));
}
