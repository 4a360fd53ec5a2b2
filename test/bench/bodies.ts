/** Answers of a Prometheus, made once and sent many times: only the timestamps are written anew. */

import { hashText, uniform } from '../../src/tools/simulation/random.js';
import type { BenchPod } from './cluster.js';

/** What a query is about. */
export type Topic =
  | 'cpu'
  | 'memory'
  | 'restarts'
  | 'kube_pod_owner'
  | 'kube_replicaset_owner'
  | 'kube_job_owner'
  | 'kube_pod_status_phase';

/** By a word that only queries about the topic have. */
const WORDS: Readonly<Record<Topic, string>> = {
  cpu: 'container_cpu_usage_seconds_total',
  memory: 'container_memory_usage_bytes',
  restarts: 'kube_pod_container_status_restarts_total',
  kube_pod_owner: 'kube_pod_owner',
  kube_replicaset_owner: 'kube_replicaset_owner',
  kube_job_owner: 'kube_job_owner',
  kube_pod_status_phase: 'kube_pod_status_phase',
};

export function topicOf(query: string): Topic | undefined {
  return (Object.keys(WORDS) as Topic[]).find((topic) => query.includes(WORDS[topic]));
}

/** An instant query has one instant, and its answer another shape. */
export interface Request {
  readonly topic: Topic;
  readonly type: 'vector' | 'matrix';
  /** Unix times in milliseconds. */
  readonly instants: readonly number[];
}

/** A template as bytes, and where the timestamps stand in it. */
interface Template {
  readonly body: Buffer;
  /** For each series and instant, in the order of the text. */
  readonly places: Uint32Array;
}

/** Prometheus writes milliseconds only where there are any; a template has room for one of the two forms. */
const WHOLE_SECONDS = 10;

/** One pod in so many is in trouble at the last instants of a pass, so that there is something to explain. */
const TROUBLE_EVERY = 100;

/** As many instants as a pass asks for. */
const PASS_INSTANTS = 11;

/** Prepared answers for a cluster. */
export class Bodies {
  readonly #pods: readonly BenchPod[];
  readonly #templates = new Map<string, Template>();

  constructor(pods: readonly BenchPod[]) {
    this.#pods = pods;
  }

  /** The answer as bytes of the caller's own. The first of its kind takes seconds for a large cluster. */
  answer({ topic, type, instants }: Request): Buffer {
    const texts = instants.map(timestampText);
    const width = Math.max(WHOLE_SECONDS, ...texts.map(({ length }) => length));
    const key = `${topic} ${type} ${instants.length} ${width}`;
    let template = this.#templates.get(key);
    if (template === undefined) {
      template = this.#build(topic, type, instants.length, width);
      this.#templates.set(key, template);
    }
    const body = Buffer.from(template.body);
    const stamps = texts.map((text) => Buffer.from(text.length === width ? text : `${text}.000`.slice(0, width)));
    let instant = 0;
    for (const place of template.places) {
      const stamp = stamps[instant] as Buffer;
      for (let offset = 0; offset < width; offset++) body[place + offset] = stamp[offset] as number;
      if (++instant === stamps.length) instant = 0;
    }
    return body;
  }

  #build(topic: Topic, type: Request['type'], instants: number, width: number): Template {
    const series = this.#seriesOf(topic);
    const places = new Uint32Array(series.length * instants);
    const parts: string[] = [];
    let length = 0;
    let filled = 0;
    // All names are ASCII, so that a character is a byte.
    const write = (text: string) => {
      parts.push(text);
      length += text.length;
    };
    write(`{"status":"success","data":{"resultType":"${type}","result":[`);
    series.forEach(({ labels, value }, index) => {
      write(`${index === 0 ? '' : ','}{"metric":${JSON.stringify(labels)},"value${type === 'vector' ? '":' : 's":['}`);
      for (let instant = 0; instant < instants; instant++) {
        write(instant === 0 ? '[' : ',[');
        places[filled++] = length;
        write(`${'0'.repeat(width)},"${value(instant, instants)}"]`);
      }
      write(type === 'vector' ? '}' : ']}');
    });
    write(']}}');
    return { body: Buffer.from(parts.join(''), 'latin1'), places };
  }

  #seriesOf(topic: Topic): { labels: Record<string, string>; value: (instant: number, of: number) => string }[] {
    const one = () => '1';
    switch (topic) {
      case 'kube_pod_owner':
        return this.#pods.map(({ namespace, pod, replicaSet }) => ({
          labels: {
            __name__: topic,
            ...SCRAPED,
            namespace,
            owner_is_controller: 'true',
            owner_kind: 'ReplicaSet',
            owner_name: replicaSet,
            pod,
          },
          value: one,
        }));
      case 'kube_replicaset_owner':
        return [...new Map(this.#pods.map((pod) => [pod.replicaSet, pod])).values()].map(
          ({ namespace, replicaSet, deployment }) => ({
            labels: {
              __name__: topic,
              ...SCRAPED,
              namespace,
              owner_is_controller: 'true',
              owner_kind: 'Deployment',
              owner_name: deployment,
              replicaset: replicaSet,
            },
            value: one,
          }),
        );
      case 'kube_job_owner':
      // No pod has ended.
      case 'kube_pod_status_phase':
        return [];
      default:
        return this.#pods.map(({ namespace, pod }, index) => ({
          labels: { namespace, pod },
          value: loadOf(topic, hashText(`${topic} ${pod}`), index),
        }));
    }
  }
}

/** Labels that each series of kube-state-metrics has. */
const SCRAPED = {
  container: 'kube-state-metrics',
  instance: '10.42.7.19:8080',
  job: 'kube-state-metrics',
};

function timestampText(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? String(milliseconds / 1000) : (milliseconds / 1000).toFixed(3);
}

/** Loads of a size of their own that waver by a tenth. */
function loadOf(topic: 'cpu' | 'memory' | 'restarts', key: number, index: number) {
  const size = uniform(key, 0);
  return (instant: number, of: number): string => {
    if (topic === 'restarts') return String(Math.floor(3 * size * size));
    const wavering = 0.95 + 0.1 * uniform(key, 1 + instant);
    const trouble = of === PASS_INSTANTS && instant > 8 && index % TROUBLE_EVERY === 7 ? 6 : 1;
    if (topic === 'cpu') return String((0.02 + 0.5 * size * size) * wavering * trouble);
    return String(4096 * Math.round((20_000 + 100_000 * size) * wavering * trouble));
  };
}
