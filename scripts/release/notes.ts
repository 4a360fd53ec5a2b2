/** The notes of a release: what the changelog says of a version, as GitHub shows it. */

/** The version as a tag and a folder of the repository have it. */
export const tagOf = (version: string): string => `v${version}`;

/**
 * The section of a version in the changelog, as Markdown without its heading. Each item is one line, because GitHub breaks
 * the lines of a release where the text does. Links to files lead to the files of that version.
 *
 * @param homepage address of the repository, without a slash at its end.
 * @throws Error if the changelog has no dated section of that version, or an empty one.
 */
export function releaseNotes(changelog: string, version: string, homepage: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((one) => one.startsWith(`${version} - `));
  if (section === undefined) {
    const found = sections.map((one) => one.slice(0, one.indexOf('\n'))).join(', ');
    throw new Error(`Expected a section "## ${version} - YYYY-MM-DD" in the changelog, got ${found}.`);
  }
  const [, date = '', text = ''] = /^\S+ - (\S*)\n(.*)$/s.exec(section) ?? [];
  if (!/^\d{4}-\d\d-\d\d$/.test(date))
    throw new Error(`Expected a date for ${version} in the changelog, got "${date}".`);
  if (text.trim() === '') throw new Error(`Expected text about ${version} in the changelog, which has none.`);
  return `${withWholeLinks(inOneLineEach(text.trim()), `${homepage}/blob/${tagOf(version)}/CHANGELOG.md`)}\n`;
}

/** Joins lines that continue a paragraph or an item. */
function inOneLineEach(markdown: string): string {
  return markdown.replaceAll(/(?<=\S)\n *(?=[^\s-]|-\S)/g, ' ');
}

/** The same Markdown with links that work from everywhere. @param place address of its file. */
export function withWholeLinks(markdown: string, place: string): string {
  return markdown.replaceAll(/\]\((?![a-z]+:|#)([^)]+)\)/g, (_, path: string) => `](${new URL(path, place).href})`);
}
