import { expect } from 'chai';
import { clusterLabelsOf, differingOf } from '../../../src/exporter/check/copies.js';
import type { Labels } from '../../../src/exporter/prometheus/api.js';

const IDENTITY = ['namespace', 'pod', 'container'];

/** A UID and a container ID that no other number has. */
const uid = (number: number) => `0000000${number}-aaaa-4bbb-8ccc-ddddeeee000${number}`;
const containerId = (number: number) => `${number}`.repeat(64);

/** The cgroup of a container, as kubelets name it. */
const cgroup = (pod: number, container: number) => ({
  id: `/kubepods/burstable/pod${uid(pod)}/${containerId(container)}`,
  name: containerId(container),
});

const cart = (labels: Labels): Labels => ({
  __name__: 'container_memory_usage_bytes',
  namespace: 'shop',
  pod: 'cart-0',
  container: 'app',
  job: 'kubelet',
  ...labels,
});

describe('series of the same thing', () => {
  const rows: readonly (readonly [what: string, series: readonly Labels[], best: string | undefined])[] = [
    ['one', [cart({})], undefined],
    // A label of any name, without identifiers.
    ['two clusters', [cart({ site: 'a' }), cart({ site: 'b' })], 'site'],
    ['three clusters', [cart({ stage: 'a' }), cart({ stage: 'b' }), cart({ stage: 'c' })], 'stage'],
    ['a cluster and one without the label', [cart({}), cart({ site: 'b' })], 'site'],
    [
      'clusters with machines of their own',
      [
        cart({ dc: 'a', instance: '10.0.0.1:10250', node: 'n1' }),
        cart({ dc: 'b', instance: '10.0.0.2:10250', node: 'n2' }),
      ],
      'dc',
    ],
    [
      'clusters with jobs of their own',
      [cart({ job: 'federate-a', tenant: 'a' }), cart({ job: 'federate-b', tenant: 'b' })],
      'tenant',
    ],
    [
      'clusters and regions',
      [cart({ region: 'x', my_cluster: 'a' }), cart({ region: 'y', my_cluster: 'b' })],
      'my_cluster',
    ],
    // Identifiers decide.
    [
      'clusters whose jobs have different names',
      [cart({ job: 'kubelet-a', ...cgroup(1, 1) }), cart({ job: 'kubelet-b', ...cgroup(2, 2) })],
      'job',
    ],
    [
      'a cluster with a replica, and another one',
      [
        cart({ dc: 'a', prometheus_replica: '0', ...cgroup(1, 1) }),
        cart({ dc: 'a', prometheus_replica: '1', ...cgroup(1, 1) }),
        cart({ dc: 'b', prometheus_replica: '0', ...cgroup(2, 2) }),
      ],
      'dc',
    ],
    [
      'copies with a label of any name',
      [cart({ copy: 'a', ...cgroup(1, 1) }), cart({ copy: 'b', ...cgroup(1, 1) })],
      undefined,
    ],
    [
      'copies of a container that has restarted',
      [
        cart({ copy: 'a', ...cgroup(1, 1) }),
        cart({ copy: 'a', ...cgroup(1, 2) }),
        cart({ copy: 'b', ...cgroup(1, 2) }),
      ],
      undefined,
    ],
    [
      'copies of which one names the pod by a unit of systemd',
      [
        cart({ copy: 'a', ...cgroup(1, 1) }),
        cart({
          copy: 'b',
          id: `/kubepods.slice/kubepods-pod${uid(1).replaceAll('-', '_')}.slice/cri-containerd-${containerId(1)}.scope`,
        }),
      ],
      undefined,
    ],
    ['copies by the UID of the pod', [cart({ copy: 'a', uid: uid(1) }), cart({ copy: 'b', uid: uid(1) })], undefined],
    ['clusters by the UID of the pod', [cart({ copy: 'a', uid: uid(1) }), cart({ copy: 'b', uid: uid(2) })], 'copy'],
    // Paths are the same on many machines.
    ['clusters by paths', [cart({ site: 'a', id: '/a/app' }), cart({ site: 'b', id: '/a/app' })], 'site'],
    // By the meaning of labels.
    ['replicas', [cart({ prometheus_replica: '0' }), cart({ prometheus_replica: '1' })], undefined],
    ['replicas of Thanos', [cart({ __replica__: 'a' }), cart({ __replica__: 'b' })], undefined],
    [
      'two jobs',
      [cart({ job: 'a', service: 'a' }), cart({ job: 'b', service: 'b', metrics_path: '/metrics/cadvisor' })],
      undefined,
    ],
    ['two jobs of which one adds labels of nodes', [cart({ job: 'a' }), cart({ job: 'b', pool: 'large' })], undefined],
    [
      'a federation beside a scrape',
      [
        cart({ job: 'federate', exported_job: 'kubelet', exported_instance: 'a' }),
        cart({ job: 'federate-2', exported_job: 'kubelet', exported_instance: 'b' }),
      ],
      undefined,
    ],
    [
      'two collectors of OpenTelemetry',
      [
        cart({ 'service.instance.id': 'a', k8s_node_name: 'a', host_name: 'a', server_address: 'a', server_port: '1' }),
        cart({ 'service.instance.id': 'b', k8s_node_name: 'b', host_name: 'b', server_address: 'b', server_port: '2' }),
      ],
      undefined,
    ],
    [
      'the labels of two machines',
      ['a', 'b'].map((kubernetes_io_hostname) => cart({ kubernetes_io_hostname })),
      undefined,
    ],
    ['clusters by a service', [cart({ service_name: 'a' }), cart({ service_name: 'b' })], 'service_name'],
    ['a restart', [cart(cgroup(1, 1)), cart(cgroup(1, 2))], undefined],
    [
      'what the runtime says of containers',
      [1, 2].map((pod) => cart({ container_label_io_kubernetes_pod_name: `p${pod}`, ...cgroup(pod, pod) })),
      undefined,
    ],
    ['labels of what was scraped', [cart({ exported_pod: 'a' }), cart({ exported_pod: 'b' })], undefined],
  ];
  for (const [what, series, best] of rows) {
    it(`are of clusters by ${best ?? 'no label'}: ${what}`, () => {
      expect(clusterLabelsOf(series, IDENTITY)[0]).to.equal(best);
    });
  }

  it('differ in labels other than those of a run, thing by thing', () => {
    const series = [
      cart({ job: 'b', ...cgroup(1, 1) }),
      cart({ job: 'a', ...cgroup(1, 2) }),
      cart({ pod: 'cart-1', job: 'c', node: 'n' }),
      cart({ pod: 'cart-1', job: 'c' }),
    ];
    expect(differingOf(series, IDENTITY)).to.deep.equal([
      { label: 'job', values: ['a', 'b'] },
      { label: 'node', values: ['', 'n'] },
    ]);
  });
});
