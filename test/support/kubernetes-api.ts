/** The API server of a cluster, by HTTPS and JSON. Paths are those of the API: `/api/v1/namespaces/shop/pods`. */

import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

const LIMIT_MILLISECONDS = 60_000;
/** The name of our writes in `managedFields`. */
const FIELD_MANAGER = 'tests';

/** How a patch is to be read: lists of a `merge` replace others, those of a `strategic` one are merged by their keys. */
export type PatchKind = 'merge' | 'strategic';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** What each object has. */
export interface WatchedObject {
  readonly metadata?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** All reject with an `ApiError` if the server rejects the request. */
export interface KubernetesApi {
  get<Answer>(path: string): Promise<Answer>;
  create<Answer>(path: string, object: object): Promise<Answer>;
  /** @param path may end with `/status` or `/scale`. */
  patch<Answer>(path: string, changes: object, kind?: PatchKind): Promise<Answer>;
  /** Server-side apply of an object at its own path. @param manager whose fields they become. */
  apply<Answer>(path: string, object: object, manager?: string): Promise<Answer>;
  /** @param options `DeleteOptions`. */
  delete(path: string, options?: object): Promise<void>;
  /**
   * Lists what there is, each as `ADDED`, then reports every change until the signal; goes on where a stream ends.
   *
   * @param path of a list; may have a query.
   */
  watch<Item extends WatchedObject>(
    path: string,
    onChange: (type: ChangeType, object: Item) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

/** An answer that is no success. */
export class ApiError extends Error {
  constructor(
    /** Such as 404, 409 (exists, or has changed), 422 (invalid). */
    readonly status: number,
    what: string,
    answer: string,
  ) {
    super(`${what}: ${status} ${messageOf(answer)}`);
  }
}

export interface ApiAccess {
  /** `https://127.0.0.1:6443`. */
  readonly url: string;
  /** PEM text of the authority of its certificate. */
  readonly ca: string;
  readonly token: string;
}

export function kubernetesApi({ url, ca, token }: ApiAccess): KubernetesApi & { close(): void } {
  const agent = new Agent({ ca, keepAlive: true, maxSockets: 50 });

  const open = (method: string, path: string, { body, type, signal }: Sent = {}): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const headers = {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        'content-type': type ?? 'application/json',
        // Node.js sends none with a DELETE, whose body the server would take for another request.
        'content-length': Buffer.byteLength(text),
      };
      const sent = request(new URL(path, url), { method, agent, headers, ...(signal && { signal }) }, resolve);
      sent.once('error', reject);
      sent.end(text);
    });

  const ask = async <Answer>(method: string, path: string, sent: Omit<Sent, 'signal'> = {}): Promise<Answer> => {
    const response = await open(method, path, { ...sent, signal: AbortSignal.timeout(LIMIT_MILLISECONDS) });
    const text = await textOf(response);
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) throw new ApiError(status, `${method} ${path}`, text);
    return JSON.parse(text) as Answer;
  };

  const owned = (path: string, manager = FIELD_MANAGER) => withQuery(path, { fieldManager: manager });

  return {
    get: (path) => ask('GET', path),
    create: (path, body) => ask('POST', owned(path), { body }),
    patch: (path, body, kind = 'merge') =>
      ask('PATCH', owned(path), {
        body,
        type: `application/${kind === 'merge' ? 'merge' : 'strategic-merge'}-patch+json`,
      }),
    apply: (path, body, manager) => ask('PATCH', owned(path, manager), { body, type: 'application/apply-patch+yaml' }),
    delete: async (path, body) => void (await ask('DELETE', path, body && { body })),
    watch: async (path, onChange, signal) => {
      const known = new Map<string, WatchedObject>();
      while (!signal.aborted) {
        try {
          await follow(path, known, onChange, signal);
        } catch (error) {
          if (signal.aborted) return;
          // Too old a version: listed again. A server that ends is stopped with its clients.
          if (!(error instanceof ApiError && error.status === 410) && !isConnectionError(error)) throw error;
          await sleep(100);
        }
      }
    },
    close: () => agent.destroy(),
  };

  async function follow<Item extends WatchedObject>(
    path: string,
    known: Map<string, WatchedObject>,
    onChange: (type: ChangeType, object: Item) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const list = await ask<ObjectList<Item>>('GET', path);
    const there = new Map(list.items.map((item) => [item.metadata?.uid ?? '', item]));
    for (const [uid, item] of known) if (!there.has(uid)) take('DELETED', item as Item);
    for (const item of there.values()) take('ADDED', item);
    let resourceVersion = list.metadata.resourceVersion;
    while (!signal.aborted) {
      const query = { watch: '1', allowWatchBookmarks: 'true', resourceVersion };
      const response = await open('GET', withQuery(path, query), { signal });
      if (response.statusCode !== 200) {
        throw new ApiError(response.statusCode ?? 0, `watch ${path}`, await textOf(response));
      }
      for await (const line of linesOf(response)) {
        const { type, object } = JSON.parse(line) as { type: ChangeType | 'BOOKMARK' | 'ERROR'; object: Item };
        if (type === 'ERROR') throw new ApiError((object as { code?: number }).code ?? 0, `watch ${path}`, line);
        resourceVersion = object.metadata?.resourceVersion ?? resourceVersion;
        if (type !== 'BOOKMARK') take(type, object);
      }
    }

    function take(type: ChangeType, object: Item): void {
      const uid = object.metadata?.uid ?? '';
      if (type === 'DELETED') known.delete(uid);
      else known.set(uid, object);
      onChange(type, object);
    }
  }
}

interface Sent {
  readonly body?: object;
  readonly type?: string;
  readonly signal?: AbortSignal;
}

interface ObjectList<Item> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Item[];
}

function withQuery(path: string, parameters: Readonly<Record<string, string>>): string {
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(parameters)}`;
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return text;
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** The server says why in a `Status`. */
function messageOf(answer: string): string {
  try {
    const { message } = JSON.parse(answer) as { message?: string };
    return message ?? answer;
  } catch {
    return answer;
  }
}

function isConnectionError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(?:ECONNRESET|ECONNREFUSED|EPIPE)$/.test(String(error.code));
}
