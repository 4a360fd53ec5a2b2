import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../../src/tools/demo/listen.js';
import { endPrograms, startProgram } from '../support/program.js';
import { requireTool } from '../support/real-tools.js';

/** docs/reference/securing.md, word for word but for the port. */
describe('docs/reference/securing.md', function () {
  this.timeout(180_000);

  let folder: string;
  const page = readFileSync('docs/reference/securing.md', 'utf8');
  const blocks = (kind: string) =>
    [...page.matchAll(new RegExp(`^\`\`\`${kind}\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block);
  const shell = (commands: string) =>
    execFileSync('bash', ['-euo', 'pipefail', '-c', commands], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20_000,
    });

  before(function () {
    for (const tool of ['openssl', 'curl', 'promtool']) requireTool(this, tool);
    folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-readme-'));
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  });
  after(async () => {
    await endPrograms();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it('works', async () => {
    const [prepare = '', run = ''] = blocks('sh');
    const [configuration = '', scrape = ''] = blocks('yaml');
    const hash = shell(prepare).trim();
    expect(hash).to.match(/^\$2b\$10\$.{53}$/);
    expect(configuration).to.include('$2b$10$…');
    writeFileSync(join(folder, 'web-config.yaml'), configuration.replace('$2b$10$…', hash));
    shell('promtool check web-config web-config.yaml');
    writeFileSync(join(folder, 'prometheus.yml'), scrape);
    shell('promtool check config prometheus.yml');

    const [start = '', ask = ''] = run.split('\n');
    const [, name = '', file = ''] = /^(\w+)=(\S+) npm start$/.exec(start) ?? [];
    const port = await freePort();
    const program = startProgram(['serve'], {
      PROMETHEUS_URL: 'http://127.0.0.1:1',
      HOST: 'localhost',
      PORT: String(port),
      [name]: join(folder, file),
    });
    await program.listening();
    const command = ask.replace(':8000', `:${port}`);
    expect(shell(command)).to.include('k8s_anomaly_detector_config_last_reload_success 1');
    const refused = shell(command.replace('$(cat password)', 'wrong'));
    expect(JSON.parse(refused)).to.have.nested.property('error.code', 'unauthorized');
  });
});
