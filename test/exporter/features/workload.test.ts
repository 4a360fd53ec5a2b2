import { expect } from 'chai';
import {
  buildOwnerQueries,
  type OwnerAnswers,
  queryOwners,
  resolveOwners,
  workloadFromName,
} from '../../../src/exporter/features/workload.js';
import type { InstantQuery, Labels, PrometheusApi } from '../../../src/exporter/prometheus/api.js';
import { PrometheusError } from '../../../src/exporter/prometheus/errors.js';
import { rejection } from '../../support/rejection.js';
import { seriesSet, type WrittenSeries } from '../../support/tables.js';

const QUERIES = buildOwnerQueries({ namespaceRegex: '.*' });

const { signal } = new AbortController();

/** Answers instant queries from a table, and notes them. */
function api(answers: Readonly<Record<string, WrittenSeries | PrometheusError>>) {
  const asked: InstantQuery[] = [];
  const fake: PrometheusApi = {
    query: async (request) => {
      asked.push(request);
      const answer = answers[/^\w+/.exec(request.query)?.[0] ?? ''];
      if (answer instanceof PrometheusError) throw answer;
      return { ...seriesSet(...(answer === undefined ? [] : [answer])), warnings: [], infos: [] };
    },
    queryRange: () => expect.fail('owners are asked for at one instant'),
  };
  return { fake, asked };
}

describe('buildOwnerQueries', () => {
  it('asks for the namespaces in scope, with the matchers of the features', () => {
    expect(buildOwnerQueries({ namespaceRegex: 'shop|a"b\\\\.c', matchers: 'cluster="x"' })).to.deep.equal({
      pod: 'kube_pod_owner{cluster="x",namespace=~"shop|a\\"b\\\\\\\\.c"}',
      replicaSet: 'kube_replicaset_owner{cluster="x",namespace=~"shop|a\\"b\\\\\\\\.c"}',
      job: 'kube_job_owner{cluster="x",namespace=~"shop|a\\"b\\\\\\\\.c"}',
    });
  });
});

describe('queryOwners', () => {
  it('asks for pods, ReplicaSets and Jobs at the same instant, and puts the answers together', async () => {
    const { fake, asked } = api({
      kube_pod_owner: [{ namespace: 'ns', pod: 'web-1-2', owner_kind: 'ReplicaSet', owner_name: 'web-1' }, [600, 1]],
      kube_replicaset_owner: [
        { namespace: 'ns', replicaset: 'web-1', owner_kind: 'Deployment', owner_name: 'web' },
        [600, 1],
      ],
    });
    const owners = await queryOwners(fake, QUERIES, 600, signal);
    expect(Object.fromEntries(owners)).to.deep.equal({ 'ns/web-1-2': 'web' });
    expect(asked).to.have.deep.members(
      Object.values(QUERIES).map((query) => ({
        query,
        timeSeconds: 600,
        signal,
      })),
    );
  });

  it('finds nothing without kube-state-metrics', async () => {
    expect((await queryOwners(api({}).fake, QUERIES, 600, signal)).size).to.equal(0);
  });

  it('fails when one of the questions fails', async () => {
    const error = new PrometheusError('refused', 'Nothing listens.');
    const { fake } = api({ kube_job_owner: error });
    expect(await rejection(queryOwners(fake, QUERIES, 600, signal), PrometheusError)).to.equal(error);
  });
});

const NOW = [600, 1] as const;

/** The answers of kube-state-metrics, from the labels of each. */
function answers(labels: {
  readonly pod?: readonly Labels[];
  readonly replicaSet?: readonly Labels[];
  readonly job?: readonly Labels[];
}): OwnerAnswers {
  const set = (some: readonly Labels[] = []) => seriesSet(...some.map((one) => [one, NOW] as const));
  return { pod: set(labels.pod), replicaSet: set(labels.replicaSet), job: set(labels.job) };
}

const owned = (pod: string, kind: string, name: string, namespace = 'ns'): Labels => ({
  namespace,
  pod,
  owner_kind: kind,
  owner_name: name,
});

const resolve = (labels: Parameters<typeof answers>[0]) => Object.fromEntries(resolveOwners(answers(labels)));

describe('resolveOwners', () => {
  it('follows a ReplicaSet to its Deployment', () => {
    expect(
      resolve({
        pod: [owned('web-6d4cf56db6-x2b4c', 'ReplicaSet', 'web-6d4cf56db6')],
        replicaSet: [
          { namespace: 'ns', replicaset: 'web-6d4cf56db6', owner_kind: 'Deployment', owner_name: 'web' },
          { namespace: 'ns', replicaset: 'api-5c689d88bb', owner_kind: 'Deployment', owner_name: 'api' },
        ],
      }),
    ).to.deep.equal({ 'ns/web-6d4cf56db6-x2b4c': 'web' });
  });

  it('follows a Job to its CronJob', () => {
    expect(
      resolve({
        pod: [owned('backup-28473920-zk7dq', 'Job', 'backup-28473920')],
        job: [{ namespace: 'ns', job_name: 'backup-28473920', owner_kind: 'CronJob', owner_name: 'backup' }],
      }),
    ).to.deep.equal({ 'ns/backup-28473920-zk7dq': 'backup' });
  });

  for (const kind of ['StatefulSet', 'DaemonSet', 'ReplicationController', 'Kafka']) {
    it(`stops at a ${kind}`, () => {
      expect(resolve({ pod: [owned('db-0', kind, 'db')] })).to.deep.equal({ 'ns/db-0': 'db' });
    });
  }

  it('takes of several owners the one that controls, else the first by name, in whatever order they come', () => {
    const of = (pod: string, name: string, controller?: string): Labels => ({
      ...owned(pod, 'StatefulSet', name),
      ...(controller !== undefined && { owner_is_controller: controller }),
    });
    const labels = [
      of('a', 'first', 'false'),
      of('a', 'second', 'true'),
      of('b', 'second'),
      of('b', 'first'),
      of('c', 'only', 'false'),
    ];
    const expected = { 'ns/a': 'second', 'ns/b': 'first', 'ns/c': 'only' };
    expect(resolve({ pod: labels })).to.deep.equal(expected);
    expect(resolve({ pod: labels.toReversed() })).to.deep.equal(expected);
  });

  const unowned: readonly (readonly [what: string, labels: Labels])[] = [
    ['<none>', { owner_kind: '<none>', owner_name: '<none>' }],
    ['an empty name', { owner_kind: '', owner_name: '' }],
    ['no name', {}],
    ['a name that cannot be one', { owner_kind: 'Deployment', owner_name: 'a,b' }],
  ];
  for (const [what, owner] of unowned) {
    it(`stops at a ReplicaSet and at a Job whose owner has ${what}`, () => {
      expect(
        resolve({
          pod: [owned('a-1', 'ReplicaSet', 'a'), owned('b-1', 'Job', 'b')],
          replicaSet: [{ namespace: 'ns', replicaset: 'a', ...owner }],
          job: [{ namespace: 'ns', job_name: 'b', ...owner }],
        }),
      ).to.deep.equal({ 'ns/a-1': 'a', 'ns/b-1': 'b' });
    });

    it(`takes a pod whose owner has ${what} for a workload of its own, where it is certain to have none`, () => {
      const pods = ['alone', 'redis-1', 'debug-x2b4c'].map((pod) => ({ namespace: 'ns', pod, ...owner }));
      const isKnown = !('owner_name' in owner) || ['', '<none>'].includes(owner.owner_name);
      const expected = { 'ns/alone': 'alone', 'ns/redis-1': 'redis-1', 'ns/debug-x2b4c': 'debug-x2b4c' };
      expect(resolve({ pod: pods })).to.deep.equal(isKnown ? expected : {});
    });
  }

  const untold: readonly (readonly [kind: 'ReplicaSet' | 'Job', name: string, workload: string])[] = [
    ['ReplicaSet', 'web-6d4cf56db6', 'web'],
    ['ReplicaSet', 'web-2-64897985d', 'web-2'],
    ['ReplicaSet', 'front-end-79f8b5cc', 'front-end'],
    ['ReplicaSet', 'web.v1-7f9d8c', 'web.v1'],
    // Nothing of these was generated.
    ['ReplicaSet', 'frontend', 'frontend'],
    ['ReplicaSet', 'web-frontend', 'web-frontend'],
    ['ReplicaSet', 'web-v2', 'web-v2'],
    ['ReplicaSet', 'web-20261129', 'web-20261129'],
    ['ReplicaSet', '6d4cf56db6', '6d4cf56db6'],
    ['ReplicaSet', 'web-6d4cf56db6456', 'web-6d4cf56db6456'],
    ['Job', 'backup-28473920', 'backup'],
    ['Job', 'nightly-report-29000000', 'nightly-report'],
    // The scheduled second, before Kubernetes 1.21.
    ['Job', 'backup-1606780800', 'backup'],
    ['Job', 'import-20261129', 'import-20261129'],
    ['Job', 'import-99999999', 'import-99999999'],
    ['Job', 'import-4102444800', 'import-4102444800'],
    ['Job', 'migrate-7', 'migrate-7'],
    ['Job', 'migrate-x2b4c', 'migrate-x2b4c'],
    ['Job', '28473920', '28473920'],
  ];
  for (const [kind, name, workload] of untold) {
    it(`takes ${name} for a ${kind} of ${workload} where nothing else is told about it`, () => {
      expect(resolve({ pod: [owned('p', kind, name)] })).to.deep.equal({ 'ns/p': workload });
    });
  }

  it('gives the pods of two ReplicaSets of a Deployment the same workload without series of ReplicaSets', () => {
    const pods = ['web-6d4cf56db6', 'web-79f8b5cc'].map((name) => owned(`${name}-x2b4c`, 'ReplicaSet', name));
    expect(new Set(Object.values(resolve({ pod: pods })))).to.deep.equal(new Set(['web']));
  });

  it('takes the ReplicationControllers of a DeploymentConfig for one workload', () => {
    const pods = ['web-9', 'web-10', '-3'].map((name) => owned(`${name}-x2b4c`, 'ReplicationController', name));
    expect(resolve({ pod: pods })).to.deep.equal({
      'ns/web-9-x2b4c': 'web',
      'ns/web-10-x2b4c': 'web',
      'ns/-3-x2b4c': '-3',
    });
  });

  it('takes the Workflows of a CronWorkflow for one workload, and others for themselves', () => {
    const pods = ['report-1606780800', 'report-1606784400', 'once-x2b4c'].map((name) =>
      owned(`${name}-7`, 'Workflow', name),
    );
    expect(Object.values(resolve({ pod: pods }))).to.deep.equal(['report', 'report', 'once-x2b4c']);
  });

  it('stops at a ReplicaSet and at a Job that are told to have no owner, whatever their names', () => {
    expect(
      resolve({
        pod: [owned('p', 'ReplicaSet', 'web-6d4cf56db6'), owned('q', 'Job', 'backup-28473920')],
        replicaSet: [{ namespace: 'ns', replicaset: 'web-6d4cf56db6', owner_kind: '', owner_name: '' }],
        job: [{ namespace: 'ns', job_name: 'backup-28473920', owner_kind: '<none>', owner_name: '<none>' }],
      }),
    ).to.deep.equal({ 'ns/p': 'web-6d4cf56db6', 'ns/q': 'backup-28473920' });
  });

  it('does not mix a ReplicaSet with a Job of the same name, nor namespaces', () => {
    expect(
      resolve({
        pod: [
          owned('p', 'ReplicaSet', 'x'),
          owned('q', 'Job', 'x'),
          owned('r', 'StatefulSet', 'x'),
          owned('p', 'ReplicaSet', 'x', 'other'),
        ],
        replicaSet: [{ namespace: 'ns', replicaset: 'x', owner_kind: 'Deployment', owner_name: 'deployment' }],
        job: [{ namespace: 'ns', job_name: 'x', owner_kind: 'CronJob', owner_name: 'cron-job' }],
      }),
    ).to.deep.equal({ 'ns/p': 'deployment', 'ns/q': 'cron-job', 'ns/r': 'x', 'other/p': 'x' });
  });

  it('takes the name of the node off a static pod: the node is no workload', () => {
    expect(
      resolve({
        pod: [
          owned('kube-apiserver-node-1', 'Node', 'node-1'),
          owned('etcd-node-1', 'Node', 'node-1'),
          owned('odd', 'Node', 'node-1'),
        ],
      }),
    ).to.deep.equal({
      'ns/kube-apiserver-node-1': 'kube-apiserver',
      'ns/etcd-node-1': 'etcd',
      'ns/odd': 'odd',
    });
  });

  it('finds what made the pods of KubeVirt, of Argo Rollouts and of Indexed Jobs, also where their names are cut', () => {
    const long = 'a-name-that-is-as-long-as-the-name-of-a-workload-may-be-here';
    expect(
      resolve({
        pod: [
          owned('virt-launcher-vm-1-x2b4c', 'VirtualMachineInstance', 'vm-1'),
          owned('canary-6d4cf56db6-x2b4c', 'ReplicaSet', 'canary-6d4cf56db6'),
          owned('train-0-zk7dq', 'Job', 'train'),
          owned(`${long.slice(0, 58)}zk7dq`, 'ReplicaSet', `${long}-6d4cf56db6`),
        ],
        replicaSet: [
          { namespace: 'ns', replicaset: 'canary-6d4cf56db6', owner_kind: 'Rollout', owner_name: 'canary' },
          { namespace: 'ns', replicaset: `${long}-6d4cf56db6`, owner_kind: 'Deployment', owner_name: long },
        ],
      }),
    ).to.deep.equal({
      'ns/virt-launcher-vm-1-x2b4c': 'vm-1',
      'ns/canary-6d4cf56db6-x2b4c': 'canary',
      'ns/train-0-zk7dq': 'train',
      [`ns/${long.slice(0, 58)}zk7dq`]: long,
    });
  });

  it('passes over series without a namespace or a pod', () => {
    const { namespace: _, ...homeless } = owned('a', 'DaemonSet', 'a');
    const { pod: __, ...nameless } = owned('a', 'DaemonSet', 'a');
    expect(resolve({ pod: [homeless, nameless, owned('b', 'DaemonSet', 'd')] })).to.deep.equal({
      'ns/b': 'd',
    });
  });
});

describe('workloadFromName', () => {
  /** A name of so many characters, of which the last is not one that Kubernetes generates. */
  const long = (characters: number) =>
    'service-'
      .repeat(8)
      .slice(0, characters - 1)
      .concat('a');
  const rows: readonly (readonly [kind: string, pod: string, workload: string])[] = [
    ['Deployment', 'web-6d4cf56db6-x2b4c', 'web'],
    ['Deployment with a hash of 9', 'coredns-64897985d-2k6ws', 'coredns'],
    ['Deployment with a hash of 6', 'web-7f9d8c-x2b4c', 'web'],
    ['Deployment with a hash of 8', 'front-end-79f8b5cc-pq4tz', 'front-end'],
    ['Deployment whose name ends in a number', 'web-2-6d4cf56db6-x2b4c', 'web-2'],
    ['Deployment with dots', 'web.v1-6d4cf56db6-x2b4c', 'web.v1'],
    ['DaemonSet', 'node-exporter-2l4z9', 'node-exporter'],
    ['Job', 'migrate-db-zk7dq', 'migrate-db'],
    ['StatefulSet', 'db-0', 'db'],
    ['StatefulSet with a large ordinal', 'kafka-broker-128', 'kafka-broker'],
    ['CronJob', 'backup-28473920-zk7dq', 'backup'],
    ['CronJob whose minute has only letters-and-digits digits', 'backup-24567892-zk7dq', 'backup'],
    ['CronJob before Kubernetes 1.21', 'backup-1606780800-zk7dq', 'backup'],
    ['Indexed Job', 'train-0-zk7dq', 'train'],
    ['Indexed Job of a CronJob', 'train-28473920-12-zk7dq', 'train'],
    ['DeploymentConfig', 'frontend-3-zk7dq', 'frontend'],
    // Kubernetes cuts these at 58 characters before it appends five.
    ['Deployment whose hash is cut', `${long(50)}-6d4cf56zk7dq`, long(50)],
    ['Deployment whose hash loses its hyphen', `${long(47)}-6d4cf56db6zk7dq`, long(47)],
    ['Deployment whose hash is cut off', `${long(57)}-zk7dq`, long(57)],
    ['Deployment whose own name is cut', `${long(58)}zk7dq`, long(58)],
    ['CronJob whose minute is cut', `${long(52)}-28473zk7dq`, long(52)],
    ['CronJob whose minute loses its hyphen', `${long(49)}-28473920zk7dq`, long(49)],
    ['CronJob whose second is cut', `${long(52)}-16067zk7dq`, long(52)],
    ['Indexed Job whose index loses its hyphen', `${long(56)}-0zk7dq`, long(56)],
    ['a name that is not long enough to be cut', `${long(40)}-6d4cf56zk7dq`, `${long(40)}-6d4cf56zk7dq`],
    ['StatefulSet with the longest name', `${long(61)}-2`, long(61)],
    // None of these was made up by Kubernetes.
    ['a bare pod', 'debug', 'debug'],
    ['a word of five letters with a vowel', 'web-front', 'web-front'],
    ['a word of five letters with an y', 'db-mysql', 'db-mysql'],
    ['digits 0, 1 and 3, which are not generated', 'node-x2b1c', 'node-x2b1c'],
    ['capitals', 'web-X2B4C', 'web-X2B4C'],
    ['a part that is too short', 'web-x2b4', 'web-x2b4'],
    ['a part that is too long', 'web-x2b4cd', 'web-x2b4cd'],
    ['a hash with a vowel before the pod’s part', 'web-6a4cf56db6-x2b4c', 'web-6a4cf56db6'],
    ['a hash that is too short before the pod’s part', 'web-7f9d8-x2b4c', 'web-7f9d8'],
    ['a hash that is too long before the pod’s part', 'web-6d4cf56db6d-x2b4c', 'web-6d4cf56db6d'],
    ['a version at the end', 'web-v2', 'web-v2'],
    ['a date in the middle', 'report-20240131-final', 'report-20240131-final'],
    ['nothing but a generated part', '-x2b4c', '-x2b4c'],
    ['nothing but a hash and a part', '-6d4cf56db6-x2b4c', '-6d4cf56db6'],
    ['nothing but an ordinal', '-0', '-0'],
    ['the empty name', '', ''],
  ];
  for (const [kind, pod, workload] of rows) {
    it(`makes "${workload}" of "${pod}" (${kind})`, () => {
      expect(workloadFromName(pod)).to.equal(workload);
    });
  }
});
