import { expect } from 'chai';
import { settingsHelp, settingsMarkdown } from '../../../src/exporter/config/help.js';
import { SETTINGS } from '../../../src/exporter/config/settings.js';

const definitions = Object.values(SETTINGS);

describe('settingsHelp', () => {
  it('lists every setting once, in the order of the table, with its default', () => {
    const headings = settingsHelp()
      .split('\n')
      .filter((line) => /^ {2}\S/.test(line));
    expect(headings).to.deep.equal(
      definitions.map(({ env, default: text }) => `  ${env} (default: ${text || '(empty)'})`),
    );
  });

  it('names the variable for a file with a secret, and only with a secret', () => {
    const help = settingsHelp();
    for (const { env, secret } of definitions) {
      expect(help.includes(`Or ${env}_FILE: the path of a file with it.`), env).to.equal(secret !== undefined);
    }
    expect(help).to.include('Or PROMETHEUS_PASSWORD_FILE').and.to.include('Or PROMETHEUS_URL_FILE');
  });

  it('says of an empty default that it is empty', () => {
    expect(settingsHelp()).to.include('  FEATURES_FILE (default: (empty))\n');
  });

  it('says what each does and accepts, in plain text', () => {
    const help = settingsHelp();
    expect(help).not.to.include('`');
    expect(help).to.include('    Number of trees in the isolation forest.\n    Accepts a whole number from 1 to 1000.');
  });
});

describe('settingsMarkdown', () => {
  const lines = settingsMarkdown().split('\n');

  it('has a row for each setting, in the order of the table', () => {
    expect(lines.slice(0, 2)).to.deep.equal(['| variable | default | meaning |', '| --- | --- | --- |']);
    expect(lines.slice(2).map((line) => line.split(' | ')[0])).to.deep.equal(
      definitions.map(({ env, secret }) => `| \`${env}\`${secret ? ` or \`${env}_FILE\`` : ''}`),
    );
  });

  it('has three cells in each row: a bar within a text is escaped', () => {
    for (const line of lines) {
      expect(line.match(/(?<!\\)\|/g), line).to.have.lengthOf(4);
    }
  });

  it('says of an empty default that it is empty, and has no empty code', () => {
    expect(settingsMarkdown()).to.include('| `FEATURES_FILE` | (empty) | ').and.not.to.include('``');
  });

  it('says what the variable means', () => {
    expect(settingsMarkdown()).to.include(
      '| `IFOREST_N_ESTIMATORS` | `100` | Number of trees in the isolation forest. Accepts a whole number from 1 to 1000. |',
    );
  });
});

describe('SETTINGS', () => {
  it('names no variable twice', () => {
    expect(new Set(definitions.map(({ env }) => env)).size).to.equal(definitions.length);
  });

  for (const definition of definitions) {
    it(`describes ${definition.env} in a sentence, and its default is a value`, () => {
      expect(definition.env).to.match(/^[A-Z][A-Z0-9_]*$/);
      expect(definition.help).to.match(/^[A-Z`].*\.$/s);
      expect(definition.expected).to.match(/^[a-z`].*[^.]$/s);
      expect(definition.schema.safeParse(definition.default).success).to.equal(true);
    });
  }
});
