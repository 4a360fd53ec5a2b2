/** The "restricted" profile of the Pod Security Standards of Kubernetes. */

import type { IPodSpec } from 'kubernetes-models/v1';

/** The only kinds of volumes that the profile allows. */
const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** What an admission controller that enforces the profile would say against a pod; nothing: it lets it in. */
export function restrictedViolations(pod: IPodSpec): string[] {
  const violations: string[] = [];
  const require = (holds: boolean, rule: string) => {
    if (!holds) violations.push(rule);
  };
  const allowedSeccomp = (type: string | undefined) => type === 'RuntimeDefault' || type === 'Localhost';
  const ofPod = pod.securityContext ?? {};
  require(!pod.hostNetwork && !pod.hostPID && !pod.hostIPC, 'host namespaces');
  require((ofPod.sysctls ?? []).length === 0, 'sysctls');
  for (const { name, ...volume } of pod.volumes ?? []) {
    require(Object.keys(volume).every((kind) => VOLUMES.includes(kind)), `volume type of ${name}`);
  }
  for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
    const own = container.securityContext ?? {};
    const rule = (text: string) => `${text} of ${container.name}`;
    require(!own.privileged, rule('privileged'));
    require(own.allowPrivilegeEscalation === false, rule('allowPrivilegeEscalation'));
    require(own.capabilities?.drop?.includes('ALL') === true, rule('capabilities.drop'));
    require((own.capabilities?.add ?? []).every((name) => name === 'NET_BIND_SERVICE'), rule('capabilities.add'));
    require((own.runAsNonRoot ?? ofPod.runAsNonRoot) === true, rule('runAsNonRoot'));
    require((own.runAsUser ?? ofPod.runAsUser) !== 0, rule('runAsUser'));
    require(allowedSeccomp((own.seccompProfile ?? ofPod.seccompProfile)?.type), rule('seccompProfile'));
    require(own.procMount === undefined || own.procMount === 'Default', rule('procMount'));
    require((own.seLinuxOptions ?? ofPod.seLinuxOptions) === undefined, rule('seLinuxOptions'));
    require((container.ports ?? []).every(({ hostPort }) => !hostPort), rule('hostPort'));
  }
  return violations;
}
