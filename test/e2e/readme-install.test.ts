import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IConfigMap, IPod } from 'kubernetes-models/v1';
import { createRestrictedNamespace, objectsIn } from '../support/admission.js';
import { clusterCommand } from '../support/cluster-commands.js';
import { type ControlPlane, requireControlPlane, startControlPlane } from '../support/control-plane.js';
import { copyDeployFolder, type DeployFolder } from '../support/kustomize.js';
import { requireTool } from '../support/real-tools.js';
import { eventually } from '../support/waiting.js';

/**
 * The blocks of commands of a section, without those of npm and of an editor: the copy of the folder has what they make.
 *
 * @param heading of the section, or nothing for what comes before the first one.
 */
function commandsOf(file: string, heading?: string): readonly string[] {
  const [start = '', ...sections] = readFileSync(file, 'utf8').split(/^## /m);
  const section = heading === undefined ? start : (sections.find((part) => part.startsWith(`${heading}\n`)) ?? '');
  return [...section.matchAll(/^( *)```sh\n(.*?)^ *```$/gms)].map(([, , commands = '']) =>
    commands.replaceAll(/^(?:npm|\$\{EDITOR).*\n/gm, ''),
  );
}

describe('the commands of the README', function () {
  this.timeout(300_000);

  const installations = commandsOf('README.md', 'Install');
  let plane: ControlPlane;
  let deploy: DeployFolder;
  let folder: string;

  before(async function () {
    requireControlPlane(this);
    requireTool(this, 'kubectl');
    requireTool(this, 'helm');
    deploy = copyDeployFolder();
    folder = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-readme-install-'));
    plane = await startControlPlane();
  });
  after(async () => {
    await plane?.close();
    deploy?.remove();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** A new namespace, and what runs commands in it in place of `monitoring`, with no more rights than the role `edit` has there. */
  async function editorOf(namespace: string): Promise<(commands: string) => Promise<unknown>> {
    await createRestrictedNamespace(plane, namespace);
    const run = clusterCommand(plane.kubeconfig);
    const inNamespace = ['--namespace', namespace];
    await run('kubectl', ['create', 'serviceaccount', 'editor', ...inNamespace]);
    const account = ['--clusterrole=edit', `--serviceaccount=${namespace}:editor`];
    await run('kubectl', ['create', 'rolebinding', 'editor', ...account, ...inNamespace]);
    const { stdout: token } = await run('kubectl', ['create', 'token', 'editor', ...inNamespace]);
    const kubeconfig = JSON.parse(await readFile(plane.kubeconfig, 'utf8')) as object;
    const path = join(folder, `${namespace}.yaml`);
    const users = [{ name: 'tests', user: { token: token.trim() } }];
    await writeFile(path, JSON.stringify({ ...kubeconfig, users }), { mode: 0o600 });
    return (commands) =>
      promisify(execFile)('bash', ['-ec', commands.replaceAll('-n monitoring', `-n ${namespace}`)], {
        cwd: dirname(deploy.path),
        env: { ...process.env, KUBECONFIG: path, KUBECACHEDIR: `${path}.cache` },
        timeout: 120_000,
      });
  }

  const codeOf = (namespace: string) =>
    plane.api.get<IConfigMap>(`/api/v1/namespaces/${namespace}/configmaps/anomaly-detector-code`);

  /** Its pod template. */
  async function templateOf(namespace: string) {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/k8s-anomaly-detector`;
    return (await plane.api.get<IDeployment>(path)).spec?.template;
  }

  /** What is there, without what this test has made. */
  async function leftIn(namespace: string): Promise<string[]> {
    const names = await objectsIn(clusterCommand(plane.kubeconfig), namespace);
    return names.filter((name) => !name.includes('/editor'));
  }

  for (const [index, commands] of installations.entries()) {
    const [program = ''] = /^(?:helm|kubectl)(?= install| apply .* -k)/m.exec(commands) ?? [];

    it(`install with ${program}, as they stand, with the role edit and where the restricted Pod Security is enforced`, async () => {
      const namespace = `monitoring-${index}`;
      const run = await editorOf(namespace);
      await run(commands);
      const pods = await eventually(async () => {
        const list = await plane.api.get<{ readonly items: readonly IPod[] }>(`/api/v1/namespaces/${namespace}/pods`);
        expect(list.items).to.have.lengthOf(1);
        return list.items;
      });
      const code = pods[0]?.spec?.volumes?.find(({ configMap }) => configMap?.name === 'anomaly-detector-code');
      expect(code, JSON.stringify(pods[0]?.spec?.volumes)).to.not.equal(undefined);
      expect(Object.keys((await codeOf(namespace)).binaryData ?? {})).to.have.lengthOf(1);
    });
  }

  it('are two ways, with Helm first', () => {
    expect(installations.map((text) => /^helm install /m.test(text))).to.deep.equal([true, false]);
  });

  for (const [title, first, later] of [
    ['Helm 4', 'helm', 'helm'],
    ['Helm 3', 'helm-3', 'helm-3'],
    ['Helm 4 where Helm 3 has installed it', 'helm-3', 'helm'],
  ] as const) {
    it(`of the chart change it, run new code, roll back, and leave nothing, with ${title}`, async function () {
      for (const program of [first, later]) requireTool(this, program);
      const namespace = `changed-by-${later}-after-${first}`;
      const runAsEditor = await editorOf(namespace);
      /** The commands with another release of Helm. */
      const runWith = (program: string, commands: string) =>
        runAsEditor(`helm() { command ${program} "$@"; }\n${commands}`);
      const run = (commands: string) => runWith(later, commands);
      const [change = '', newCode = '', rest = ''] = commandsOf(
        'deploy/helm/k8s-anomaly-detector/README.md',
        'Change, upgrade, remove',
      );
      const [upgrade = '', rollback = '', uninstall = ''] = change.split(/^(?=helm )/m);
      await runWith(first, installations[0] ?? '');
      const before = await templateOf(namespace);

      await run(upgrade);
      const second = await templateOf(namespace);
      expect(second?.metadata?.annotations).to.not.deep.equal(before?.metadata?.annotations);
      // The values of before are kept.
      expect(second?.spec).to.deep.equal(before?.spec);

      const [, setting = ''] =
        /`--set (settings\.\w+=null)`/.exec(readFileSync('deploy/helm/k8s-anomaly-detector/README.md', 'utf8')) ?? [];
      expect(upgrade).to.include(`--set ${setting.replace('null', '')}`);
      await run(upgrade.replace(/settings\.\w+=\S+/, setting));
      expect(await templateOf(namespace)).to.deep.equal(before);
      await run(upgrade);

      await run(newCode);
      const checksum = (await codeOf(namespace)).metadata?.annotations?.['checksum/code'];
      expect(checksum).to.match(/^[0-9a-f]{64}$/);
      expect((await templateOf(namespace))?.metadata?.annotations).to.deep.equal({
        ...second?.metadata?.annotations,
        'checksum/code': checksum,
      });

      await run(rollback);
      expect(await templateOf(namespace)).to.deep.equal(second);
      await run(uninstall);
      await run(rest);
      await eventually(async () => expect(await leftIn(namespace)).to.deep.equal([]));
    });
  }

  it('of the manifests install it, and leave nothing', async () => {
    const run = await editorOf('removed');
    const [install = '', remove = ''] = commandsOf('deploy/kubernetes/README.md');
    await run(install);
    // As earlier settings do.
    const settings = { 'app.kubernetes.io/name': 'k8s-anomaly-detector', 'app.kubernetes.io/managed-by': 'kustomize' };
    await plane.api.create('/api/v1/namespaces/removed/configmaps', {
      metadata: { name: 'k8s-anomaly-detector-settings-earlier', labels: settings },
    });
    await run(remove);
    await eventually(async () => expect(await leftIn('removed')).to.deep.equal([]));
  });
});
