/** Volumes of a real control plane that only exist in the API: each claim gets one, as by a provisioner. */

import type { IPersistentVolume, IPersistentVolumeClaim } from 'kubernetes-models/v1';
import type { KubernetesApi } from './kubernetes-api.js';

const CLAIMS = '/api/v1/persistentvolumeclaims';
const VOLUMES = '/api/v1/persistentvolumes';

export interface FakeVolumes {
  /** @throws AggregateError if the API has rejected something */
  close(): Promise<void>;
}

/** Makes a volume for each claim, of whichever class, and deletes it with the claim. */
export function startFakeVolumes(api: KubernetesApi): FakeVolumes {
  const end = new AbortController();
  const failures: unknown[] = [];
  const pending = new Set<Promise<unknown>>();
  const known = new Set<string>();
  const expectSuccess = (work: Promise<unknown>) => {
    const watched = work.catch((error) => failures.push(error)).finally(() => pending.delete(watched));
    pending.add(watched);
  };
  expectSuccess(
    api.watch<IPersistentVolumeClaim>(
      CLAIMS,
      (type, claim) => {
        const { uid = '' } = claim.metadata ?? {};
        if (type === 'DELETED') expectSuccess(api.delete(`${VOLUMES}/${nameOf(claim)}`));
        else if (!known.has(uid)) expectSuccess(api.create(VOLUMES, volumeFor(claim)));
        known.add(uid);
      },
      end.signal,
    ),
  );
  return {
    close: async () => {
      end.abort();
      await Promise.all(pending);
      if (failures.length > 0) throw new AggregateError(failures, 'Not all claims got a volume.');
    },
  };
}

const nameOf = ({ metadata }: IPersistentVolumeClaim) => `volume-${metadata?.uid}`;

function volumeFor(claim: IPersistentVolumeClaim): IPersistentVolume {
  const { name = '', namespace = '', uid = '' } = claim.metadata ?? {};
  const { resources, accessModes = ['ReadWriteOnce'], storageClassName } = claim.spec ?? {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: nameOf(claim) },
    spec: {
      capacity: { storage: resources?.requests?.storage ?? '1Gi' },
      accessModes,
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: '/nowhere' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      ...(storageClassName !== undefined && { storageClassName }),
    },
  };
}
