import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';

describe('forms for issues', () => {
  const FOLDER = '.github/ISSUE_TEMPLATE';
  interface Form {
    readonly name: string;
    readonly description: string;
    readonly body: readonly {
      readonly type: string;
      readonly id?: string;
      readonly validations?: { required: boolean };
    }[];
  }

  for (const name of ['bug.yml', 'feature.yml']) {
    it(`ask each thing once: ${name}`, () => {
      const form = parse(readFileSync(join(FOLDER, name), 'utf8')) as Form;
      const asked = form.body.filter(({ type }) => type !== 'markdown').map(({ id }) => id);
      expect(asked).to.not.include(undefined);
      expect(new Set(asked).size).to.equal(asked.length);
      expect(form.description).to.match(/\.$/);
    });
  }

  it('ask for what explains most bugs: check and the state of the exporter', () => {
    const { body } = parse(readFileSync(join(FOLDER, 'bug.yml'), 'utf8')) as Form;
    const required = body.filter(({ validations }) => validations?.required === true).map(({ id }) => id);
    expect(required).to.include.members(['version', 'check', 'health']);
    expect(readFileSync('src/main.ts', 'utf8')).to.match(/command\('check'[\s\S]*?'--json'/);
  });
});
