import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { expect } from 'chai';
import {
  CONFIG_MAP_LIMIT_BYTES,
  CodeTooLargeError,
  type CodeVariant,
  codeConfigMap,
  describeCodeSize,
  packCode,
} from '../../scripts/code-archive.js';
import { VERSION } from '../../src/exporter/version.js';
import { freePort, type RunningServer } from '../../src/tools/demo/listen.js';
import { startPrometheusApi } from '../../src/tools/demo/prometheus-api.js';
import { worldQueries } from '../../src/tools/demo/queries.js';
import { createWorld } from '../../src/tools/simulation/cluster.js';
import {
  COMPONENTS,
  copyDeployFolder,
  type DeployFolder,
  kustomize,
  objectOfKind,
  objectsOfKind,
} from '../support/kustomize.js';
import { requireTool } from '../support/real-tools.js';
import { eventually, within } from '../support/waiting.js';

/** Everything about running without an image that can be known without a cluster. */
describe('the code in a ConfigMap', function () {
  this.timeout(300_000);

  describe('when it is packed', () => {
    let packed: Readonly<Record<CodeVariant, Buffer>>;

    before(async () => {
      packed = { installed: await packCode('.', 'installed'), bundled: await packCode('.', 'bundled') };
    });

    it('is the same for the same code', async () => {
      for (const variant of ['installed', 'bundled'] as const) {
        expect(packed[variant].equals(await packCode('.', variant)), variant).to.equal(true);
      }
    });

    it('fits, and says how large it is', () => {
      const installed = codeConfigMap(packed.installed, VERSION);
      const bundled = codeConfigMap(packed.bundled, VERSION);
      for (const { size } of [installed, bundled]) {
        expect(describeCodeSize(size)).to.match(/^\d+ KiB, \d+ % of .*`kubectl apply --server-side`/);
      }
      const small = { archive: 100 * 1024, request: 140 * 1024 };
      expect(describeCodeSize(small)).to.match(/^100 KiB, 10 % of .* plain `kubectl apply`\.$/);
    });

    it('is refused when it does not fit, with what to do', () => {
      codeConfigMap(Buffer.alloc(CONFIG_MAP_LIMIT_BYTES), VERSION);
      expect(() => codeConfigMap(Buffer.alloc(CONFIG_MAP_LIMIT_BYTES + 7), VERSION)).to.throw(
        CodeTooLargeError,
        'Expected at most 1048576 bytes, the limit of a ConfigMap, got an archive of 1048583: 7 too many. Use the ' +
          'variant that installs its packages at start (npm run configmap), or build an image from the Dockerfile.',
      );
    });

    it('has the size that the README tells, and the scripts', () => {
      const readme = readFileSync('deploy/kubernetes/README.md', 'utf8');
      const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
      for (const [, script = ''] of readme.matchAll(/npm run ([\w:]+)/g)) expect(scripts).to.have.property(script);
      const told = [...readme.matchAll(/about (\d+) KiB/g)].map(([, kibibytes]) => Number(kibibytes));
      expect(told).to.have.lengthOf(2);
      for (const [index, variant] of (['installed', 'bundled'] as const).entries()) {
        const kibibytes = packed[variant].length / 1024;
        expect(kibibytes, variant).to.be.closeTo(told[index] ?? 0, kibibytes / 10);
      }
    });

    it('is not committed', () => {
      for (const name of ['', '-bundled']) {
        const path = `deploy/kubernetes/components/no-image${name}/code-from-npm-run-configmap${name}.yaml`;
        expect(spawnSync('git', ['check-ignore', path], { encoding: 'utf8' }).stdout.trim()).to.equal(path);
      }
    });

    for (const overlay of ['no-image', 'no-image-bundled']) {
      it(`is asked for by its command where it is missing: ${overlay}`, function () {
        requireTool(this, 'kubectl');
        const deploy = copyDeployFolder({ withCode: false });
        const file = `code-from-npm-run-configmap${overlay.slice('no-image'.length)}.yaml`;
        try {
          const { status, stderr } = spawnSync(
            'kubectl',
            ['kustomize', join(deploy.path, 'kubernetes/overlays', overlay)],
            {
              encoding: 'utf8',
            },
          );
          expect(status).not.to.equal(0);
          expect(stderr).to.include(file);
        } finally {
          deploy.remove();
        }
      });
    }
  });

  describe('when the container starts', () => {
    let deploy: DeployFolder;
    let prometheus: RunningServer;
    let folder: string;
    let container: ChildProcess | undefined;

    before(async function () {
      requireTool(this, 'kubectl');
      deploy = copyDeployFolder();
      const nowSeconds = () => Date.now() / 1000;
      const world = createWorld({ seed: 1, startSeconds: nowSeconds(), speed: 1 });
      prometheus = await startPrometheusApi(worldQueries(world), nowSeconds);
    });
    after(async () => {
      deploy?.remove();
      await prometheus?.close();
    });
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'k8s-anomaly-detector-no-image-'));
    });
    afterEach(() => {
      container?.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    });

    /**
     * Runs the command of the container with its environment. Only paths differ: `/app` is `<folder>/app`.
     *
     * @param damage changes the archive on its way.
     */
    function startContainer(
      variant: CodeVariant,
      port: number,
      damage: (archive: Buffer) => Buffer = (archive) => archive,
    ): { process: ChildProcess; log: () => string } {
      const objects = kustomize(join(deploy.path, 'kubernetes/overlays', COMPONENTS[variant]));
      const code = objectsOfKind(objects, 'ConfigMap').find(
        ({ metadata }) => metadata.name === 'anomaly-detector-code',
      );
      const { containers = [] } = objectOfKind(objects, 'Deployment').spec?.template.spec ?? {};
      const { command = [], env = [], volumeMounts = [], workingDir } = containers[0] ?? {};
      const mounts = volumeMounts.map(({ mountPath }) => mountPath);
      expect(mounts).to.have.members(['/config', '/app', '/tmp', '/var/lib/k8s-anomaly-detector']);
      for (const path of mounts) mkdirSync(join(folder, path), { recursive: true });
      for (const [key, base64] of Object.entries(code?.binaryData ?? {})) {
        writeFileSync(join(folder, 'config', key), damage(Buffer.from(base64, 'base64')));
      }
      const here = (text: string) => text.replaceAll(/(?<![\w/])\/(?:config|app|tmp)\b/g, (path) => join(folder, path));
      const [program = '', ...parameters] = command;
      const inherited = Object.entries(process.env).filter(([name]) => /_proxy$|^NODE_EXTRA_CA/i.test(name));
      const child = spawn(program, parameters.map(here), {
        cwd: join(folder, String(workingDir)),
        env: {
          ...Object.fromEntries(inherited),
          ...Object.fromEntries(env.map(({ name, value = '' }) => [name, here(value)])),
          PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
          PROMETHEUS_URL: prometheus.url,
          HOST: '127.0.0.1',
          PORT: String(port),
          // With this format, the bundle needs one package more.
          LOG_FORMAT: 'text',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      container = child;
      let log = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          log += text;
        });
      }
      return { process: child, log: () => log };
    }

    for (const variant of ['installed', 'bundled'] as const) {
      it(`runs with all packages ${variant}: scores pods, shows its API, and stops`, async () => {
        const port = await freePort();
        const url = `http://127.0.0.1:${port}`;
        const { process: child, log } = startContainer(variant, port);
        const ended = once(child, 'exit');
        const answers = eventually(async () => {
          expect((await fetch(`${url}/metrics`)).status).to.equal(200);
        }, 240_000);
        await Promise.race([answers, ended.then(() => expect.fail(`The container ended:\n${log()}`))]);
        expect(existsSync(join(folder, 'app/node_modules')), 'node_modules').to.equal(variant === 'installed');
        expect(existsSync(join(folder, 'app/node_modules/mocha')), 'development dependencies').to.equal(false);

        // The worker thread is a file of its own, and has to be found.
        await eventually(async () => {
          const metrics = await (await fetch(`${url}/metrics`)).text();
          expect(metrics, log()).to.match(/^k8s_anomaly_detector_model_trained 1$/m);
          expect(metrics).to.match(/^anomaly_score\{/m);
          expect(metrics).to.match(new RegExp(`^k8s_anomaly_detector_build_info\\{.*version="${VERSION}"`, 'm'));
        });

        const page = await (await fetch(`${url}/docs`)).text();
        const assets = [...page.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, path = '']) => path);
        expect(assets).to.have.length.above(3);
        for (const asset of assets) {
          const response = await fetch(`${url}/${asset}`);
          expect(response.status, asset).to.equal(200);
          expect(await response.text(), asset).to.not.be.empty;
        }

        if (variant === 'bundled') {
          const main = join(folder, 'app/dist/src/main.js');
          const { status, stderr } = spawnSync(process.execPath, [main, 'backtest'], { encoding: 'utf8' });
          expect([status, stderr]).to.deep.equal([
            1,
            'This bundle holds the exporter only. Run this command from a checkout or from the image.\n',
          ]);
        }

        // The shell has made place for the service (exec), so the signal reaches it.
        child.kill('SIGTERM');
        expect(await within(60_000, 'the container to end', ended), log()).to.deep.equal([0, null]);
      });
    }

    it('fails at once when the archive is damaged', async () => {
      const port = await freePort();
      const { process: child, log } = startContainer('bundled', port, (archive) => archive.subarray(0, -1000));
      expect((await within(60_000, 'the container to end', once(child, 'exit')))[0], log()).to.not.equal(0);
    });
  });
});
