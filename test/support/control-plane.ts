/**
 * A real Kubernetes control plane on 127.0.0.1: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, with RBAC
 * and Pod Security, but without nodes (`fake-nodes.ts` has these). On two cores it is ready within six seconds; all together
 * take 540 MiB, of which 290 are those of kube-apiserver.
 */

import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { freePort } from '../../src/tools/demo/listen.js';
import { createCertificates } from './certificates.js';
import { type KubernetesApi, kubernetesApi } from './kubernetes-api.js';
import { requireTool } from './real-tools.js';
import { type RealServer, startServerProcess } from './server-process.js';
import { eventually } from './waiting.js';

const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;
/** The machine may be busy with other tests, and the API server stores some hundred objects before it is ready. */
const PATIENCE_MILLISECONDS = 180_000;
const TOKEN = 'token-of-the-administrator';
const SERVICE_ADDRESSES = '10.96.0.0/16';

export interface ControlPlane {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** The path of a kubeconfig of the administrator: for kubectl, helm, kube-state-metrics and Prometheus. */
  readonly kubeconfig: string;
  /** Such as `v1.37.2`. */
  readonly version: string;
  /** As the administrator. */
  readonly api: KubernetesApi;
  /** The end of what each server wrote, for messages of failures. */
  logs(): string;
  /** Stops all and forgets everything. */
  close(): Promise<void>;
}

/** For `before`: as `requireTool`, for all programs. */
export function requireControlPlane(context: Pick<Context, 'skip'>): void {
  for (const program of PROGRAMS) requireTool(context, program);
}

/** Starts all, and waits until namespaces get their service account, which shows that they work together. */
export async function startControlPlane(): Promise<ControlPlane> {
  const directory = await mkdtemp(join(tmpdir(), 'k8s-anomaly-detector-control-plane-'));
  const servers: RealServer[] = [];
  const close = async () => {
    // The last one first: it needs the others to end in order.
    for (const server of servers.reverse()) await server.close();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    return await start(directory, servers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(directory: string, servers: RealServer[], close: () => Promise<void>): Promise<ControlPlane> {
  const file = async (name: string, content: string) => {
    const path = join(directory, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  const { authority, valid } = await createCertificates();
  const ca = await file('ca.crt', authority.cert);
  const serving = [
    '--bind-address=127.0.0.1',
    `--tls-cert-file=${await file('tls.crt', valid.cert)}`,
    `--tls-private-key-file=${await file('tls.key', valid.key)}`,
  ];
  const accounts = await serviceAccountKeys(file);
  const tokens = await file('tokens.csv', `${TOKEN},administrator,administrator,system:masters\n`);
  const agent = new Agent({ ca: authority.cert });
  const startServer = async (program: string, url: string, parameters: readonly string[], path: string) => {
    const server = await startServerProcess({
      program,
      parameters,
      url,
      isReady: () => answers(`${url}${path}`, agent),
      patienceMilliseconds: PATIENCE_MILLISECONDS,
    });
    servers.push(server);
  };

  const etcd = await startEtcd(directory);
  servers.push(etcd);

  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  await startServer(
    'kube-apiserver',
    url,
    [
      ...serving,
      `--secure-port=${port}`,
      `--etcd-servers=${etcd.url}`,
      `--service-cluster-ip-range=${SERVICE_ADDRESSES}`,
      // Objects may not refer to 127.0.0.1, and no pod is there that would look for the API server.
      '--endpoint-reconciler-type=none',
      '--authorization-mode=RBAC',
      `--token-auth-file=${tokens}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${accounts.privateKey}`,
      `--service-account-key-file=${accounts.publicKey}`,
      '--allow-privileged=true',
      '--profiling=false',
    ],
    '/readyz',
  );
  const kubeconfig = await file('kubeconfig.yaml', kubeconfigOf(url, authority.cert));

  const client = ['--leader-elect=false', '--profiling=false', `--kubeconfig=${kubeconfig}`];
  const startClient = async (program: string, parameters: readonly string[]) => {
    const ownPort = await freePort();
    const own = [...serving, `--secure-port=${ownPort}`, ...client, ...parameters];
    await startServer(program, `https://127.0.0.1:${ownPort}`, own, '/healthz');
  };
  await Promise.all([
    startClient('kube-controller-manager', [
      `--service-account-private-key-file=${accounts.privateKey}`,
      `--root-ca-file=${ca}`,
      // A test that is busy for a while is no node that is lost.
      '--node-monitor-grace-period=10m',
      '--horizontal-pod-autoscaler-sync-period=2s',
    ]),
    startClient('kube-scheduler', []),
  ]);

  const api = kubernetesApi({ url, ca: authority.cert, token: TOKEN });
  await eventually(() => api.get('/api/v1/namespaces/default/serviceaccounts/default'), PATIENCE_MILLISECONDS);
  const { gitVersion: version } = await api.get<{ gitVersion: string }>('/version');
  return {
    url,
    kubeconfig,
    version,
    api,
    logs: () => servers.map((server) => `${server.url}:\n${server.log()}`).join('\n'),
    close: async () => {
      api.close();
      agent.destroy();
      await close();
    },
  };
}

/** Alone; what it loses when the machine fails does not matter. */
async function startEtcd(directory: string): Promise<RealServer> {
  const [port, peerPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const data = join(directory, 'etcd');
  await mkdir(data, { mode: 0o700 });
  return startServerProcess({
    program: 'etcd',
    url,
    parameters: [
      `--data-dir=${data}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--log-level=warn',
    ],
    isReady: () =>
      fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) }).then(
        ({ ok }) => ok,
        () => false,
      ),
    patienceMilliseconds: PATIENCE_MILLISECONDS,
  });
}

/** The keys that tokens of service accounts are signed with, in files. */
async function serviceAccountKeys(file: (name: string, content: string) => Promise<string>) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    privateKey: await file('service-accounts.key', privateKey),
    publicKey: await file('service-accounts.pub', publicKey),
  };
}

/** JSON, which is YAML. */
function kubeconfigOf(server: string, ca: string): string {
  const name = 'tests';
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name, user: { token: TOKEN } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}

/** Whether it answers with success; these paths need no login. */
function answers(url: string, agent: Agent): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request(url, { agent, signal: AbortSignal.timeout(25_000) }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    sent.once('error', () => resolve(false));
    sent.end();
  });
}
