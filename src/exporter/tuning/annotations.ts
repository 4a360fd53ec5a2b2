/** From the annotations and labels of objects to the tuning of their pods. */

import { describeValue } from '../../lib/yaml/yaml-file.js';
import { type PodIdentity, podKey } from '../features/table.js';
import { KEY_PREFIX, type ObjectKey, type TuningKey } from './annotation-query.js';
import { parseMuteText } from './mute-text.js';
import { HIGHEST_SENSITIVITY, LOWEST_SENSITIVITY, type TuningLayer } from './tuning.js';
import { secondsOf } from './windows.js';

/** A value that is invalid, and counts as not set. */
export interface AnnotationMistake {
  /** With its kind: `deployment shop/cart`. */
  readonly object: string;
  /** What is wrong with which key, without an end: `k8s-anomaly-detector/ignore: expected …, got "yes"`. */
  readonly sentence: string;
}

/** What all objects say. */
export interface AnnotatedTuning {
  /** What is said of a pod by its namespace, its owners and itself, in this order; empty for nearly every pod. */
  layersOf(pod: PodIdentity): readonly TuningLayer[];
  /** Number of objects that say something, valid or not. */
  readonly objects: number;
  /** In the order of the objects. */
  readonly mistakes: readonly AnnotationMistake[];
  /** The ends of muting that objects name, Unix time in seconds. */
  readonly ends: readonly { readonly object: string; readonly untilSeconds: number }[];
}

/** Nothing is annotated. */
export const NO_ANNOTATIONS: AnnotatedTuning = { layersOf: () => [], objects: 0, mistakes: [], ends: [] };

/** What each key accepts, to read after "expected". */
const EXPECTED: Readonly<Record<TuningKey, string>> = {
  ignore: '`true` or `false`',
  sensitivity: `a number from ${LOWEST_SENSITIVITY} to ${HIGHEST_SENSITIVITY}`,
  'mute-until': 'a time such as `2026-11-29T22:00:00Z`, or Unix seconds',
  mute: 'windows such as `saturday:sunday 22:00-24:00 Europe/Berlin`, with `;` between them, at most 1,000 characters',
};

/** What a value says; `undefined` where it is invalid. */
function layerOf({ key, value }: Pick<ObjectKey, 'key' | 'value'>, by: string): TuningLayer | undefined {
  switch (key) {
    case 'ignore':
      return value === 'true' || value === 'false' ? { ignore: { value: value === 'true', by } } : undefined;
    case 'sensitivity': {
      const sensitivity = /^\d{1,2}(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
      return sensitivity >= LOWEST_SENSITIVITY && sensitivity <= HIGHEST_SENSITIVITY ? { sensitivity } : undefined;
    }
    case 'mute-until': {
      const untilSeconds = secondsOf(value);
      return untilSeconds === undefined ? undefined : { mutes: [{ window: { untilSeconds, location: 'UTC' }, by }] };
    }
    case 'mute': {
      const windows = parseMuteText(value);
      return windows && { mutes: windows.map((window) => ({ window, by })) };
    }
  }
}

/** The names that the Job of a pod may have: pods of an Indexed Job have their index before the random end. */
function jobsOfPod(pod: string): readonly string[] {
  const [, job] = /^(.+)-[a-z0-9]{5}$/.exec(pod) ?? [];
  const [, indexed] = /^(.+)-\d+$/.exec(job ?? '') ?? [];
  return [job, indexed].filter((name) => name !== undefined);
}

/**
 * What the objects say together. An owner is known by its name alone, as the workload of a pod is; a Job of a CronJob by
 * the names of its pods.
 *
 * @param keys in the order of `readObjectKeys`.
 */
export function tuningOfObjects(keys: readonly ObjectKey[]): AnnotatedTuning {
  if (keys.length === 0) return NO_ANNOTATIONS;
  const layers = { namespace: new Layers(), owner: new Layers(), job: new Layers(), pod: new Layers() };
  const objects = new Set<string>();
  const mistakes: AnnotationMistake[] = [];
  const ends: AnnotatedTuning['ends'][number][] = [];
  let said: ObjectKey | undefined;
  for (const objectKey of keys) {
    const { kind, namespace, name, key, value } = objectKey;
    const object = `${kind} ${kind === 'namespace' ? name : podKey(namespace, name)}`;
    objects.add(object);
    const isSaid = said?.kind === kind && said.namespace === namespace && said.name === name && said.key === key;
    const layer = layerOf(objectKey, object);
    if (layer === undefined) {
      const sentence = `${KEY_PREFIX}${key}: expected ${EXPECTED[key]}, got ${describeValue(value)}`;
      mistakes.push({ object, sentence });
    }
    // The annotation comes before the label.
    if (layer === undefined || isSaid) continue;
    said = objectKey;
    if (key === 'mute-until') ends.push({ object, untilSeconds: secondsOf(value) as number });
    const level = kind === 'namespace' || kind === 'pod' ? kind : 'owner';
    layers[level].add(objectKey, layer);
    if (kind === 'job') layers.job.add(objectKey, layer);
  }
  return {
    layersOf: ({ namespace, pod, workload }) => {
      const jobs = layers.job.isEmpty ? [] : jobsOfPod(pod).filter((job) => job !== workload);
      return [
        ...layers.namespace.of(namespace, namespace),
        ...layers.owner.of(namespace, workload),
        ...(jobs.map((job) => layers.job.of(namespace, job)).find((own) => own.length > 0) ?? NOTHING),
        ...layers.pod.of(namespace, pod),
      ];
    },
    objects: objects.size,
    mistakes,
    ends,
  };
}

const NOTHING: readonly TuningLayer[] = [];

/** Layers by the object that says them. */
class Layers {
  readonly #layers = new Map<string, TuningLayer[]>();

  get isEmpty(): boolean {
    return this.#layers.size === 0;
  }

  add({ namespace, name }: ObjectKey, layer: TuningLayer): void {
    const key = podKey(namespace, name);
    const known = this.#layers.get(key);
    if (known === undefined) this.#layers.set(key, [layer]);
    else known.push(layer);
  }

  of(namespace: string, name: string): readonly TuningLayer[] {
    return (this.isEmpty ? undefined : this.#layers.get(podKey(namespace, name))) ?? NOTHING;
  }
}
