import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ENDPOINTS } from '../../src/exporter/http/endpoints.js';
import { DetectResponse } from '../../src/exporter/http/schemas.js';
import { KEY_PREFIX, TUNING_KEYS } from '../../src/exporter/tuning/annotation-query.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { alertmanagerProgram, startAlertmanager } from '../support/real-servers.js';
import { requireTool } from '../support/real-tools.js';
import { commandsIn, readRunbook, runbookNames } from '../support/runbooks.js';

const ALERTMANAGER_FILE = 'deploy/alertmanager/alertmanager.yaml';

/** Commands of all pages that begin with a program, each once. */
const commandsOf = (program: string) =>
  [...new Set(runbookNames().flatMap((alert) => commandsIn(readRunbook(alert))))].filter((command) =>
    command.startsWith(`${program} `),
  );

/** The words of a command as a shell makes them; nothing in it is run. */
const wordsOf = (command: string): readonly string[] =>
  [...command.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replaceAll(/["']/g, ''));

function kubectlHelp(...parameters: readonly string[]) {
  const environment = { PATH: process.env.PATH, KUBECONFIG: '/dev/null', HOME: '/nonexistent' };
  const { status, stdout, stderr } = spawnSync('kubectl', parameters, {
    encoding: 'utf8',
    timeout: 60_000,
    env: environment,
  });
  expect(status, `kubectl ${parameters.join(' ')}: ${stderr}`).to.equal(0);
  return stdout;
}

/** Commands of kubectl that have commands of their own. */
const NESTED = new Set(['rollout']);

describe('commands of the runbooks', function () {
  this.timeout(60_000);

  it('are all by programs that are looked at here', () => {
    const programs = new Set(
      runbookNames().flatMap((alert) => commandsIn(readRunbook(alert)).map((one) => wordsOf(one)[0])),
    );
    expect([...programs]).to.have.members(['kubectl', 'curl', 'amtool']);
  });

  describe('of kubectl', () => {
    for (const command of commandsOf('kubectl')) {
      it(`has the command and its flags: ${command}`, function () {
        requireTool(this, 'kubectl');
        const [own = ''] = command.split(' -- ');
        const words = wordsOf(own).slice(1);
        const flags = words.filter((word) => word.startsWith('-')).map((word) => word.split('=')[0] ?? '');
        const rest = words.filter(
          (word, index) => !word.startsWith('-') && !['-n', '-l', '-o'].includes(words[index - 1] ?? ''),
        );
        const path = rest.slice(0, NESTED.has(rest[0] ?? '') ? 2 : 1);
        const help = kubectlHelp(...path, '--help');
        // Where a command does not exist, kubectl shows its own help.
        expect(help, 'usage').to.match(new RegExp(`^ +kubectl ${path.join(' ')} `, 'm'));
        const known = help + kubectlHelp('options');
        for (const flag of flags) {
          const pattern = flag.startsWith('--') ? `^ +(?:-\\w, )?${flag}=` : `^ +${flag}, --`;
          expect(known, flag).to.match(new RegExp(pattern, 'm'));
        }
      });
    }

    it('names what the manifests have', () => {
      const base = 'deploy/kubernetes/base';
      const manifests = ['deployment.yaml', 'service.yaml', 'kustomization.yaml'].map((file) =>
        readFileSync(join(base, file), 'utf8'),
      );
      const all = manifests.join('\n');
      for (const command of commandsOf('kubectl')) {
        for (const [, kind = '', name = ''] of command.matchAll(/\b(deployment|service)\/(k8s-[\w-]+)/g)) {
          const document = manifests[kind === 'deployment' ? 0 : 1];
          expect(document, command).to.match(new RegExp(`kind: ${kind}\\b[\\s\\S]*name: ${name}\\b`, 'i'));
        }
        for (const [, label = '', value = ''] of command.matchAll(/-l ([\w./-]+)=([\w-]+)/g)) {
          expect(all, command).to.include(`${label}: ${value}`);
        }
      }
    });

    it('annotates with keys that the exporter reads', () => {
      const keys = TUNING_KEYS.map((key) => `${KEY_PREFIX}${key}`);
      const annotating = commandsOf('kubectl').filter((command) => command.includes(' annotate '));
      expect(annotating).to.not.be.empty;
      for (const command of annotating) expect(keys).to.include(/"([^"=]+)=/.exec(command)?.[1]);
    });
  });

  describe('of curl', () => {
    it('ask endpoints with parameters that there are, and jq for fields of the answer', () => {
      const commands = commandsOf('curl');
      expect(commands).to.have.lengthOf.at.least(2);
      for (const command of commands) {
        const [, address = ''] = /(localhost:8000[^\s']*)/.exec(command) ?? [];
        const { pathname, searchParams } = new URL(`http://${address}`);
        const endpoint = ENDPOINTS.find(({ path }) => path === pathname) ?? expect.fail(`${command}: no such endpoint`);
        const parameters = 'query' in endpoint ? Object.keys(endpoint.query.shape) : [];
        for (const name of searchParams.keys()) expect(parameters, command).to.include(name);
        if (!command.includes('| jq')) continue;
        expect(pathname, command).to.equal('/detect');
        const [, filter = ''] = /jq '([^']+)'/.exec(command) ?? [];
        const fields = Object.keys(DetectResponse.shape.pods.element.shape);
        const [, shown = ''] = /\{([^}]+)\}/.exec(filter) ?? [];
        const named = [...filter.matchAll(/select\(\.(\w+)/g)].map(([, name = '']) => name);
        for (const name of [...named, ...shown.split(',').map((one) => one.trim())])
          expect(fields, command).to.include(name);
      }
    });
  });

  describe('of amtool', () => {
    let directory: string;
    let alertmanager: RunningServer;

    before(async function () {
      requireTool(this, alertmanagerProgram());
      requireTool(this, 'amtool');
      directory = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-silences-'));
      const place = { directory, port: await freePort(), configuration: ALERTMANAGER_FILE };
      alertmanager = await startAlertmanager(place);
    });
    after(async () => {
      await alertmanager?.close();
      if (directory) rmSync(directory, { recursive: true, force: true });
    });

    for (const alert of runbookNames()) {
      it(`silence ${alert}, and nothing else`, async () => {
        const [command = '', ...more] = commandsIn(readRunbook(alert)).filter((one) => one.startsWith('amtool '));
        expect(more, 'one command').to.deep.equal([]);
        const parameters = [...wordsOf(command).slice(1), `--alertmanager.url=${alertmanager.url}`, '--author=on-call'];
        const { status, stdout, stderr } = spawnSync('amtool', parameters, { encoding: 'utf8', timeout: 60_000 });
        expect(status, stderr).to.equal(0);
        const answer = await fetch(`${alertmanager.url}/api/v2/silence/${stdout.trim()}`);
        const silence = (await answer.json()) as { comment: string; matchers: { name: string; value: string }[] };
        expect(silence.matchers).to.deep.include({ name: 'alertname', value: alert, isEqual: true, isRegex: false });
        expect(silence.comment).to.equal('why, and until when');
      });
    }
  });
});
