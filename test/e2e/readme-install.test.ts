import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { IPod } from 'kubernetes-models/v1';
import { type ControlPlane, requireControlPlane, startControlPlane } from '../support/control-plane.js';
import { copyDeployFolder, type DeployFolder } from '../support/kustomize.js';
import { requireTool } from '../support/real-tools.js';
import { eventually } from '../support/waiting.js';

/** The blocks of commands of the section, without those of npm: the copy of the folder has what they make. */
function installations(): readonly string[] {
  const [, section = ''] = /^## Install\n(.*?)^## /ms.exec(readFileSync('README.md', 'utf8')) ?? [];
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = '']) => text.replace(/^npm .*\n/m, ''));
}

describe('the commands of the README', function () {
  this.timeout(300_000);

  let plane: ControlPlane;
  let deploy: DeployFolder;

  before(async function () {
    requireControlPlane(this);
    requireTool(this, 'kubectl');
    requireTool(this, 'helm');
    deploy = copyDeployFolder();
    plane = await startControlPlane();
  });
  after(async () => {
    await plane?.close();
    deploy?.remove();
  });

  for (const [index, commands] of installations().entries()) {
    const [program = ''] = /^(?:helm|kubectl)(?= install| apply .* -k)/m.exec(commands) ?? [];

    it(`install with ${program}, as they stand, where the restricted Pod Security is enforced`, async () => {
      const namespace = `monitoring-${index}`;
      const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
      const metadata = { name: namespace, labels };
      await plane.api.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
      const script = commands.replaceAll('-n monitoring', `-n ${namespace}`);
      await promisify(execFile)('bash', ['-ec', script], {
        cwd: dirname(deploy.path),
        env: { ...process.env, KUBECONFIG: plane.kubeconfig },
        timeout: 120_000,
      });
      const pods = await eventually(async () => {
        const list = await plane.api.get<{ readonly items: readonly IPod[] }>(`/api/v1/namespaces/${namespace}/pods`);
        expect(list.items).to.have.lengthOf(1);
        return list.items;
      });
      const code = pods[0]?.spec?.volumes?.find(({ configMap }) => configMap?.name === 'anomaly-detector-code');
      expect(code, JSON.stringify(pods[0]?.spec?.volumes)).to.not.equal(undefined);
      const maps = await plane.api.get<{ readonly binaryData?: object }>(
        `/api/v1/namespaces/${namespace}/configmaps/anomaly-detector-code`,
      );
      expect(Object.keys(maps.binaryData ?? {})).to.have.lengthOf(1);
    });
  }

  it('are two ways, with Helm first', () => {
    expect(installations().map((text) => /^helm install /m.test(text))).to.deep.equal([true, false]);
  });
});
